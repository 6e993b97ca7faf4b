// Half of a batch: copied forward, added backward.
#include <diffsiam/ops/samples.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;

[[maybe_unused]] bool const registered = bench::measure_images(
    "samples", [](auto const& x) { return ops::samples(x, 0, x.shape().samples() / 2); });

}  // namespace
