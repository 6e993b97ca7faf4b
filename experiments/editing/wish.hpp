// What manipulations are asked for: a level of one factor.
#pragma once

#include <string>
#include <vector>

#include <experiments/data.hpp>

namespace example {

/// A level of a factor that pictures shall have.
struct Wish {
  std::size_t factor = 0;
  int level = 0;
};

/// Coarse and fine ones.
[[nodiscard]] inline std::vector<Wish> wishes_for(ExperimentData const& data) {
  using ds::data::ShapeFactor, ds::data::factor_index;
  if (data.name == "shapes")
    return {{factor_index(ShapeFactor::background), 0},
            {factor_index(ShapeFactor::shape), 3},
            {factor_index(ShapeFactor::size), 4},
            {factor_index(ShapeFactor::hue), 4},
            {factor_index(ShapeFactor::edge), 3}};
  return {{0, 1}, {0, 3}, {0, 8}, {0, 9}};
}

[[nodiscard]] inline std::string name_of(ExperimentData const& data, Wish const& wish) {
  if (data.name == "fashion")
    return std::string(ds::data::FashionMnist::class_names[static_cast<std::size_t>(wish.level)]);
  return data.factors.names[wish.factor] + " " + std::to_string(wish.level);
}

}  // namespace example
