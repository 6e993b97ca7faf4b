// One number for each picture: coefficients of time-steps.
#include <diffsiam/ops/scale_samples.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const scale = [](auto const& x, auto const& factor) { return ops::scale_samples(x, factor); };

[[maybe_unused]] bool const registered =
    measure("scale_samples", op_case("fashion pictures", {{64, 28, 28, 1}, {64}}, scale),
            op_case("celeba64 pictures", {{8, 64, 64, 3}, {8}}, scale));

}  // namespace
