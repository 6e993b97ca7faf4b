// Layers whose weights a test writes out.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <tests/support/values.hpp>

#include <diffsiam/nn/module.hpp>

namespace diffsiam::test {

/// Gives every parameter of a layer its values, by name.
template <class M>
void set_weights(M const& layer, std::map<std::string, Values> values) {
  nn::for_each_leaf(layer, [&](nn::LeafName const& name, auto const& leaf) {
    if constexpr (requires { leaf.trainable(); }) {
      INFO(name.name);
      REQUIRE(values.count(name.name) == 1);
      leaf.value().assign(std::span<double const>(values[name.name]));
      values.erase(name.name);
    }
  });
  CHECK(values.empty());
}

/// Names and shapes of all leaves, in order.
template <class M>
[[nodiscard]] std::vector<std::pair<std::string, Shape>> leaves_of(M const& layer) {
  std::vector<std::pair<std::string, Shape>> leaves;
  nn::for_each_leaf(layer, [&](nn::LeafName const& name, auto const& leaf) {
    leaves.emplace_back(name.name, leaf.shape());
  });
  return leaves;
}

}  // namespace diffsiam::test
