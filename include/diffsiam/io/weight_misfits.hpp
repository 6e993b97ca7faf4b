// WeightMisfits: how the tensors of a file differ from those that are looked for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace diffsiam::io {

/// What a partial load left out. Names are those of the file, with their prefix.
struct WeightMisfits {
  std::vector<std::string> missing{};     ///< weights of the model that the file lacks
  std::vector<std::string> misshaped{};   ///< there, but of another shape
  std::vector<std::string> unexpected{};  ///< in the file alone
  /// The model's value in place of the file's: "heads = 2 in place of 4 in 'encoder.2'".
  std::vector<std::string> settings{};

  /// Whether all was loaded, and nothing stands besides.
  [[nodiscard]] bool empty() const {
    return missing.empty() && misshaped.empty() && unexpected.empty() && settings.empty();
  }
};

namespace detail {

/// "a, b, c and 37 more".
[[nodiscard]] inline std::string listed(std::vector<std::string> const& names) {
  constexpr std::size_t shown = 5;
  std::string result;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) result += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) result += " and " + std::to_string(names.size() - shown) + " more";
  return result;
}

}  // namespace detail

}  // namespace diffsiam::io
