// Tables whose entries have a name: methods, data sets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>

namespace experiments {

template <class Table>
[[nodiscard]] std::vector<std::string> names_of(Table const& table) {
  std::vector<std::string> names;
  for (auto const& entry : table) names.emplace_back(entry.name);
  return names;
}

/// The entry of that name. Throws ConfigError with the names that there are, as an error of `option`.
template <class Table>
[[nodiscard]] auto const& named(Table const& table, std::string_view option, std::string_view name) {
  std::string known;
  for (auto const& entry : table) {
    if (entry.name == name) return entry;
    known += (known.empty() ? "one of " : ", ") + std::string(entry.name);
  }
  diffsiam::fail<diffsiam::ConfigError>(option, known, name);
}

}  // namespace experiments
