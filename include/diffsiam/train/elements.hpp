// Small helpers of this folder: names of parameters, checks of settings.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam::train::detail {

/// A label for each entry: its published name. If a name occurs again it gets "#2", "#3" ...
template <class Entry>
[[nodiscard]] std::vector<std::string> labels(std::vector<Entry> const& entries) {
  std::vector<std::string> result;
  result.reserve(entries.size());
  for (Entry const& entry : entries) {
    std::string const& name = entry.name.published;
    std::string label = name;
    for (int count = 2; std::find(result.begin(), result.end(), label) != result.end(); ++count)
      label = name + "#" + std::to_string(count);
    result.push_back(std::move(label));
  }
  return result;
}

/// Throws ConfigError unless low <= value < high. With high = infinity, any finite value from `low` on is
/// allowed. `range` describes the allowed range.
inline void require_setting(std::string_view operation, std::string_view setting, double value, double low,
                            double high, std::string_view range) {
  if (!(value >= low && value < high)) fail<ConfigError>(operation, {setting, " ", range}, value);
}

inline void require_not_negative(std::string_view operation, std::string_view setting, double value) {
  require_setting(operation, setting, value, 0, HUGE_VAL, "that is finite and not negative");
}

}  // namespace diffsiam::train::detail
