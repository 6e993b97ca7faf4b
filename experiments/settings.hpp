// Settings that are declared once. A struct S names each of them in
//
//     template <class Self, class F>
//     static void for_each_setting(Self& self, F&& f) {
//       f("siamese_batch", self.siamese_batch, 2, 16384, "pictures of the siamese half");
//     }
//
// and gets from it its options ("--siamese-batch", a number in [2, 16384]), its JSON, and with that its
// comparison with another run's.
#pragma once

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>

#include <experiments/support/options.hpp>

namespace experiments {

/// "siamese_batch" as "--siamese-batch".
[[nodiscard]] inline std::string option_of(std::string_view setting) {
  std::string option = "--" + std::string(setting);
  std::replace(option.begin(), option.end(), '_', '-');
  return option;
}

/// Adds an option for each setting. Help shows what `settings` hold now as defaults, unless these depend on
/// other options.
template <class S>
void add_setting_options(CLI::App& app, S& settings, bool shows_defaults = true) {
  S::for_each_setting(settings,
                      [&](std::string_view name, auto& value, auto least, auto most, char const* what) {
                        std::string const option = option_of(name);
                        CLI::Option* added = nullptr;
                        if constexpr (std::is_floating_point_v<std::remove_reference_t<decltype(value)>>)
                          added = add_number(app, option.c_str(), value, least, most, what);
                        else
                          added = add_whole_number(app, option.c_str(), value, least, most, what);
                        if (!shows_defaults) added->default_str("");
                      });
}

/// {"siamese_batch": 192, ...}
template <class S>
[[nodiscard]] nlohmann::ordered_json json_of_settings(S const& settings) {
  nlohmann::ordered_json json;
  S::for_each_setting(settings, [&](std::string_view name, auto const& value, auto const&...) {
    json[std::string(name)] = value;
  });
  return json;
}

/// The same of those alone that the command line gave.
template <class S>
[[nodiscard]] nlohmann::ordered_json given_settings(CLI::App const& app, S const& settings) {
  auto given = nlohmann::ordered_json::object();
  S::for_each_setting(settings, [&](std::string_view name, auto const& value, auto const&...) {
    if (app.count(option_of(name)) > 0) given[std::string(name)] = value;
  });
  return given;
}

/// Gives `settings` the values that stand in `json`, and leaves the others as they are.
template <class S>
void take_settings(S& settings, nlohmann::ordered_json const& json) {
  S::for_each_setting(settings, [&](std::string_view name, auto& value, auto const&...) {
    if (auto const found = json.find(name); found != json.end()) found->get_to(value);
  });
}

/// The same of a file that people write. Throws ConfigError, naming the file, for a name that is no setting
/// and a value that is no number in the setting's range.
template <class S>
void take_checked_settings(S& settings, nlohmann::ordered_json const& json,
                           std::filesystem::path const& path) {
  nlohmann::ordered_json unknown = json;
  std::string names;
  S::for_each_setting(
      settings, [&](std::string_view name, auto& value, auto least, auto most, auto const&...) {
        names += (names.empty() ? "" : ", ") + std::string(name);
        auto const found = json.find(name);
        if (found == json.end()) return;
        unknown.erase(std::string(name));
        constexpr bool whole = std::integral<std::remove_reference_t<decltype(value)>>;
        bool const number = whole ? found->is_number_integer() : found->is_number();
        if (!number || *found < least || *found > most)
          diffsiam::fail<diffsiam::ConfigError>(
              path.string(),
              {"\"", name, "\" to be a ", whole ? "whole number" : "number", " in [", least, ", ", most, "]"},
              found->dump());
        found->get_to(value);
      });
  if (!unknown.empty())
    diffsiam::fail<diffsiam::ConfigError>(path.string(), {"settings among ", names},
                                          {"\"", unknown.begin().key(), "\""});
}

}  // namespace experiments
