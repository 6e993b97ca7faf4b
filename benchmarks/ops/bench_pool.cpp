// Means over positions, before the head of an encoder.
#include <diffsiam/ops/pool.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_images("global_average_pool", [](auto const& x) { return ops::global_average_pool(x); });

}  // namespace
