// Binary attributes of samples whose factors are known: what measures of many yes/no questions ask, such as
// the mean average precision.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace experiments {

/// A sample has it where `factor` has one of `levels`.
struct Attribute {
  std::string name;
  std::size_t factor = 0;
  std::vector<int> levels{};
};

/// One for each level of each factor; of two levels for the last alone, since the other one says the same.
[[nodiscard]] inline std::vector<Attribute> attribute_of_each_level(std::vector<std::string> const& names,
                                                                    std::vector<int> const& levels) {
  std::vector<Attribute> attributes;
  for (std::size_t factor = 0; factor < names.size(); ++factor)
    for (int level = levels[factor] == 2 ? 1 : 0; level < levels[factor]; ++level)
      attributes.push_back({names[factor] + " " + std::to_string(level), factor, {level}});
  return attributes;
}

/// 1 where a sample has the attribute, else 0: (count, attributes) from `values` (count, factors), row by
/// row.
[[nodiscard]] inline std::vector<int> attributes_of(std::vector<int> const& values, std::size_t factors,
                                                    std::vector<Attribute> const& attributes) {
  std::vector<int> result;
  for (std::size_t row = 0; row < values.size(); row += factors)
    for (Attribute const& each : attributes) {
      int const level = values[row + each.factor];
      result.push_back(std::find(each.levels.begin(), each.levels.end(), level) != each.levels.end() ? 1 : 0);
    }
  return result;
}

}  // namespace experiments
