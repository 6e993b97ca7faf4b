// Weights in double do not meet an input in float.
// EXPECT: The weights of a model and its input must live on the same backend.
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/value/plain.hpp>

using B = diffsiam::backend::Reference<float>;
#ifdef TWIN
using Other = B;
#else
using Other = diffsiam::backend::Reference<double>;
#endif

int main() {
  B::Context context;
  diffsiam::Parameter<Other> const w{diffsiam::Tensor<Other>::zeros(context, {2, 3})};
  (void)diffsiam::ops::linear(diffsiam::Tensor<B>::zeros(context, {4, 3}), w);
}
