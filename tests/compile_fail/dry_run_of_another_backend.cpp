// The estimate of a run in float is not made with weights in double.
// EXPECT: A dry run must be of the backend that the weights live on.
#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/value/taped.hpp>

using B = diffsiam::backend::Reference<float>;
#ifdef TWIN
using Dry = diffsiam::backend::DryRun<B>;
#else
using Dry = diffsiam::backend::DryRun<diffsiam::backend::Reference<double>>;
#endif

int main() {
  B::Context context;
  Dry::Context dry;
  diffsiam::Parameter<B> const w{diffsiam::Tensor<B>::zeros(context, {2, 3})};
  (void)diffsiam::ops::linear(diffsiam::Tensor<Dry>{dry, {4, 3}}, w);
}
