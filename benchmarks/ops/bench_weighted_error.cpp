// The squared error of the diffusion losses, a weight a picture.
#include <diffsiam/ops/weighted_error.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const error = [](auto const& prediction, auto const& target, auto const& weights) {
  return ops::weighted_error(prediction, target, weights);
};

[[maybe_unused]] bool const registered = measure(
    "weighted_error",
    op_case("fashion", {{64, 28, 28, 1}}, {{Kind::normal, {64, 28, 28, 1}}, {Kind::positive, {64}}}, error),
    op_case("celeba64", {{8, 64, 64, 3}}, {{Kind::normal, {8, 64, 64, 3}}, {Kind::positive, {8}}}, error));

}  // namespace
