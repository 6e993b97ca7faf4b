// Two modulations made one: of the time-step and of z.
#include <diffsiam/ops/modulation.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const compose = [](auto const& first, auto const& second) {
  return ops::compose_modulation(first, second);
};

[[maybe_unused]] bool const registered =
    measure("compose_modulation", op_case("fashion 64", {{64, 128}, {64, 128}}, compose),
            op_case("celeba64 512", {{8, 1024}, {8, 1024}}, compose));

}  // namespace
