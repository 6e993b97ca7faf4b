// Small helpers of this folder: element-wise operations on whole tensors, names of parameters, checks of
// settings.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/nn/module.hpp>

namespace diffsiam::train::detail {

/// Applies f to every element of tensors of one size, in the context of the first.
template <class F, class B, class... Rest>
void for_each_element(F const& f, Tensor<B> const& first, Rest const&... rest) {
  using Element = Operand<typename B::Scalar, 1>;
  B::for_each(first.context(), Grid{{1, 1, 1, 1, first.size()}}, f, Element{first.data()},
              Element{rest.data()}...);
}

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
