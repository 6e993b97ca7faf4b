// A backend that stores activations in low precision, and leaves GroupNorm to the composed one.
// EXPECT: A backend with a Storage needs group_norm<Act> and group_norm_gradient<Act> of its own.
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/tensor/tensor.hpp>

struct Mixed : diffsiam::backend::Reference<float> {
#ifndef TWIN
  using Storage = diffsiam::BFloat16;
#endif
};

int main() {
  Mixed::Context context;
  (void)diffsiam::Tensor<Mixed>{context, {2}};
}
