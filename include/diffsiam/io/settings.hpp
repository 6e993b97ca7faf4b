// Settings of modules in the metadata of a file, as one JSON object {"encoder.partition.subsets": 8, ...},
// and their comparison.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/json.hpp>
#include <diffsiam/io/safetensors_reader.hpp>
#include <diffsiam/io/safetensors_writer.hpp>
#include <diffsiam/io/tensor_table.hpp>
#include <diffsiam/nn/settings.hpp>

namespace diffsiam::io {

/// The number tells which settings are kept: a file of number 1 has all that the modules name today.
inline constexpr char const* settings_key = "diffsiam settings 1";

/// Adds the settings to those that `writer` has, each under `prefix` and its name.
inline void save_settings(SafetensorsWriter& writer, nn::SettingList const& settings,
                          std::string const& prefix) {
  std::string const* const before = writer.find_metadata(settings_key);
  auto json = before == nullptr ? nlohmann::ordered_json::object() : nlohmann::ordered_json::parse(*before);
  for (nn::Setting const& setting : settings.all())
    std::visit([&](auto const& value) { json[prefix + setting.name] = value; }, setting.value);
  if (!json.empty()) writer.metadata(settings_key, json.dump());
}

/// The settings that `file` was saved with, by name; an empty object where it has none: published weights,
/// and files of versions before. Throws FileError for what is no object.
[[nodiscard]] inline nlohmann::json saved_settings(SafetensorsFile const& file) {
  auto const found = file.metadata().find(settings_key);
  if (found == file.metadata().end()) return nlohmann::json::object();
  std::string const what = "the settings of " + detail::shown_name(file.path()) + " as one object of JSON";
  nlohmann::json json = parse_json<FileError>(found->second, "load_weights", what);
  if (!json.is_object()) fail<FileError>("load_weights", what, detail::shown_name(found->second));
  return json;
}

namespace detail {

/// "betas[3] = 0.1 in place of 0.2".
[[nodiscard]] inline std::string shown_difference(std::string name, nlohmann::json saved,
                                                  nlohmann::json present) {
  if (saved.is_array() && present.is_array()) {
    if (saved.size() != present.size()) {
      saved = std::to_string(saved.size()) + " numbers";
      present = std::to_string(present.size()) + " numbers";
    } else {
      std::size_t i = 0;
      while (i + 1 < saved.size() && saved[i] == present[i]) ++i;
      name += "[" + std::to_string(i) + "]";
      saved = nlohmann::json(saved[i]);
      present = nlohmann::json(present[i]);
    }
  }
  auto const shown = [](nlohmann::json const& value) {
    return value.is_null() ? "nothing"
                           : shown_text(value.is_string() ? value.get<std::string>() : value.dump());
  };
  return shown_text(name) + " = " + shown(present) + " in place of " + shown(saved);
}

/// Differences that read alike, told once with the modules they are in.
class SettingDifferences {
 public:
  void add(std::string const& name, nlohmann::json const& saved, nlohmann::json const& present) {
    std::size_t const dot = name.rfind('.');
    std::string const last = dot == std::string::npos ? name : name.substr(dot + 1);
    std::string difference = shown_difference(last, saved, present);
    auto found = std::find_if(groups_.begin(), groups_.end(),
                              [&](Group const& group) { return group.difference == difference; });
    if (found == groups_.end())
      found = groups_.insert(
          found, Group{std::move(difference), dot == std::string::npos ? "" : name.substr(0, dot), 0});
    ++found->count;
  }
  [[nodiscard]] std::vector<std::string> sentences() const {
    std::vector<std::string> result;
    for (Group const& group : groups_) {
      std::string where = group.module.empty() ? "" : " in '" + group.module + "'";
      if (group.count > 1) where += " and " + std::to_string(group.count - 1) + " more";
      result.push_back(group.difference + where);
    }
    return result;
  }

 private:
  struct Group {
    std::string difference, module;
    std::size_t count;
  };
  std::vector<Group> groups_;
};

}  // namespace detail

/// What differs between the settings of a file below `prefix` and these, as sentences; nothing where the file
/// has none there.
[[nodiscard]] inline std::vector<std::string> differing_settings(SafetensorsFile const& file,
                                                                 nn::SettingList const& settings,
                                                                 std::string const& prefix,
                                                                 Besides const& besides = {}) {
  nlohmann::json saved = saved_settings(file);
  bool any = false;
  for (auto const& item : saved.items()) any = any || item.key().starts_with(prefix);
  if (!any) return {};
  detail::SettingDifferences differences;
  for (nn::Setting const& setting : settings.all()) {
    std::string const name = prefix + setting.name;
    nlohmann::json const present =
        std::visit([](auto const& value) { return nlohmann::json(value); }, setting.value);
    auto const found = saved.find(name);
    if (found == saved.end())
      differences.add(name, nullptr, present);
    else if (*found != present)
      differences.add(name, *found, present);
    saved.erase(name);
  }
  for (auto const& [name, value] : saved.items())
    if (name.starts_with(prefix) && !besides.allow(name)) differences.add(name, value, nullptr);
  return differences.sentences();
}

/// Throws ConfigError naming every setting that differs.
inline void require_same_settings(SafetensorsFile const& file, std::vector<std::string> const& differences) {
  if (!differences.empty())
    fail<ConfigError>("load_weights",
                      {"a model with the settings that ", detail::shown_name(file.path()), " was saved with"},
                      detail::listed(differences), "build the model as it was built then");
}

}  // namespace diffsiam::io
