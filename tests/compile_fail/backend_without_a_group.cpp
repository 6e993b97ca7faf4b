// A backend that lacks one of the six groups is refused at its first tensor, by the name of the group.
// EXPECT: A backend needs the Random group: add uniform and normal.
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/tensor/tensor.hpp>

struct Partial : diffsiam::backend::Reference<float> {
#ifndef TWIN
  void uniform() = delete;
#endif
};

int main() {
  Partial::Context context;
  (void)diffsiam::Tensor<Partial>::zeros(context, {2});
}
