// The same of a value on a tape and a tensor.
// EXPECT EARLY: The values of an operation must live on one backend: make them all of the same B.
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>

using B = diffsiam::backend::Reference<float>;
#ifdef TWIN
using Other = B;
#else
using Other = diffsiam::backend::Reference<double>;
#endif

auto product(diffsiam::Taped<B> const& x, diffsiam::Tensor<Other> const& y) {
  return diffsiam::ops::matmul(x, y);
}
