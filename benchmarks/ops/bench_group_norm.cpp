// GroupNorm with SiLU behind it, as in every block, and with a modulation between.
#include <diffsiam/ops/group_norm.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const plain = [](auto const& x, auto const& gamma, auto const& beta) {
  return ops::group_norm<diffsiam::functional::Silu>(x, gamma, beta, 32);
};
auto const modulated = [](auto const& x, auto const& gamma, auto const& beta, auto const& modulation) {
  return ops::modulated_group_norm<diffsiam::functional::Silu>(x, gamma, beta, modulation, 32);
};

[[maybe_unused]] bool const registered = [] {
  for (bench::FeatureMap const& map : bench::feature_maps()) {
    diffsiam::Index const n = map.shape.samples(), c = map.shape.channels();
    measure("group_norm silu", op_case(map.name, {map.shape, {c}, {c}}, plain));
    measure("modulated_group_norm silu", op_case(map.name, {map.shape, {c}, {c}, {n, 2 * c}}, modulated));
  }
  return true;
}();

}  // namespace
