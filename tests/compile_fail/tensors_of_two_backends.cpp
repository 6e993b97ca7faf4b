// Values of two backends do not meet in one operation.
// EXPECT EARLY: The values of an operation must live on one backend: make them all of the same B.
#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>

using B = diffsiam::backend::Cpu<float>;
#ifdef TWIN
using Other = B;
#else
using Other = diffsiam::backend::Reference<float>;
#endif

auto sum(diffsiam::Tensor<B> const& x, diffsiam::Tensor<Other> const& y) {
  return x + y;
}
