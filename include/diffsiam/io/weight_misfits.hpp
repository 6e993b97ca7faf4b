// WeightMisfits: the differences between the tensors of a file and those of a model.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace diffsiam::io {

/// What a partial load left out. Names are those of the file, with their prefix.
struct WeightMisfits {
  std::vector<std::string> missing{};     ///< weights of the model that are not in the file
  std::vector<std::string> misshaped{};   ///< in the file, but with another shape
  std::vector<std::string> unexpected{};  ///< in the file, but not in the model
  /// The value of the model instead of that of the file: "heads = 2 in place of 4 in 'encoder.2'".
  std::vector<std::string> settings{};

  /// Whether everything was loaded, and nothing else is in the file.
  [[nodiscard]] bool empty() const {
    return missing.empty() && misshaped.empty() && unexpected.empty() && settings.empty();
  }
};

namespace detail {

/// A list of at most five names: "a, b, c and 37 more".
[[nodiscard]] inline std::string listed(std::vector<std::string> const& names) {
  constexpr std::size_t shown = 5;
  std::string result;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) result += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) result += " and " + std::to_string(names.size() - shown) + " more";
  return result;
}

}  // namespace detail

}  // namespace diffsiam::io
