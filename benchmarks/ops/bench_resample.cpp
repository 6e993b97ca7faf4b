// Sides doubled and halved between the levels of a UNet.
#include <diffsiam/ops/resample.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_images("upsample_nearest", [](auto const& x) { return ops::upsample_nearest(x); }) && [] {
      auto const halve = [](auto const& x) { return ops::downsample_mean(x); };
      return measure("downsample_mean", op_case("fashion 28x28x32", {{64, 28, 28, 32}}, halve),
                     op_case("celeba64 64x64x64", {{8, 64, 64, 64}}, halve),
                     op_case("celeba64 16x16x256", {{8, 16, 16, 256}}, halve));
    }();

}  // namespace
