// Sums over everything.
#include <diffsiam/ops/reduce.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_images("sum", [](auto const& x) { return ops::sum(x); });

}  // namespace
