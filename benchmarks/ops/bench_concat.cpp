// What skips join, and what is cut out of channels again.
#include <diffsiam/ops/concat.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_pairs("concat", [](auto const& x, auto const& y) { return ops::concat(x, y); }) &&
    bench::measure_images("slice", [](auto const& x) { return ops::slice(x, 0, x.shape().channels() / 2); });

}  // namespace
