// config_difference: the first key in which two configurations in JSON differ, such as "unet.multipliers[1]".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/io/json.hpp>

namespace diffsiam::train {

/// A key with different values: `saved` in the checkpoint, `present` in this run, both as JSON.
/// `key` is the path of the value, "unet.multipliers[1]".
struct ConfigDifference {
  std::string key, saved, present;
};

namespace detail {

[[nodiscard]] inline nlohmann::json parsed_config(std::string const& text, std::string const& whose) {
  return io::parse_json<ConfigError>(text, "checkpoint", {"the configuration of ", whose, " in JSON"});
}

[[nodiscard]] inline std::optional<ConfigDifference> difference(nlohmann::json const* saved,
                                                                nlohmann::json const* present,
                                                                std::string const& key,
                                                                std::vector<std::string> const& may_differ) {
  for (std::string const& allowed : may_differ)
    if (key == allowed) return std::nullopt;
  auto const found = [&] {
    auto const shown = [](nlohmann::json const* value) {
      return value ? io::detail::shown_text(value->dump()) : "nothing";
    };
    return ConfigDifference{io::detail::shown_text(key), shown(saved), shown(present)};
  };
  if (saved == nullptr || present == nullptr) return found();
  if (*saved == *present) return std::nullopt;
  if (saved->is_object() && present->is_object()) {
    auto const below = [&](std::string const& name) { return key.empty() ? name : key + "." + name; };
    for (auto const& [name, value] : saved->items()) {
      auto const other = present->find(name);
      auto first = difference(&value, other == present->end() ? nullptr : &*other, below(name), may_differ);
      if (first) return first;
    }
    for (auto const& [name, value] : present->items())
      if (!saved->contains(name))
        if (auto first = difference(nullptr, &value, below(name), may_differ)) return first;
    return std::nullopt;
  }
  if (saved->is_array() && present->is_array() && saved->size() == present->size()) {
    for (std::size_t i = 0; i < saved->size(); ++i)
      if (auto first =
              difference(&(*saved)[i], &(*present)[i], key + "[" + std::to_string(i) + "]", may_differ))
        return first;
    return std::nullopt;
  }
  return found();
}

}  // namespace detail

/// The first key, in alphabetical order, whose values differ and that is not in `may_differ`; empty if there
/// is none. `may_differ` has whole keys, such as "threads" or "train.steps". Throws ConfigError if a text is
/// not JSON.
[[nodiscard]] inline std::optional<ConfigDifference> config_difference(
    std::string const& saved, std::string const& present, std::vector<std::string> const& may_differ = {}) {
  nlohmann::json const first = detail::parsed_config(saved, "the checkpoint");
  nlohmann::json const second = detail::parsed_config(present, "this run");
  return detail::difference(&first, &second, "", may_differ);
}

}  // namespace diffsiam::train
