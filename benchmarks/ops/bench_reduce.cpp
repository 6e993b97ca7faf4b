// Sums over everything and along an axis.
#include <diffsiam/ops/reduce.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_images("sum", [](auto const& x) { return ops::sum(x); }) &&
    bench::measure_images("sum, axis 0", [](auto const& x) { return ops::sum(x, 0); }) &&
    bench::measure_images("sum, last axis", [](auto const& x) { return ops::sum(x, -1); });

}  // namespace
