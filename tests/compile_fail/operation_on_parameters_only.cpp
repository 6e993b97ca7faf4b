// A parameter follows what flows; alone it does not say whether to run, to record or to count.
// EXPECT: At least one argument of an operation must be a tensor or a taped value, not a parameter.
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/value/plain.hpp>

using B = diffsiam::backend::Reference<double>;

int main() {
  B::Context context;
  diffsiam::Parameter<B> const w{diffsiam::Tensor<B>::zeros(context, {2, 3})};
  diffsiam::Tensor<B> const x = diffsiam::Tensor<B>::zeros(context, {4, 3});
#ifdef TWIN
  (void)diffsiam::ops::linear(x, w);
#else
  (void)diffsiam::ops::linear(w, w);
#endif
}
