// Options that are numbers, each with its range. They are read as signed numbers whatever holds them later,
// so that -1 is refused and does not become 2^64 - 1.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

#include <diffsiam/core/text.hpp>
#include <diffsiam/core/thread_pool.hpp>

namespace experiments {

inline constexpr std::int64_t most_steps = 1000000000;
inline constexpr std::int64_t most_seed = std::numeric_limits<std::int64_t>::max();

/// A check: one whole number in [least, most].
[[nodiscard]] inline CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  std::string const range = diffsiam::text({"[", least, ", ", most, "]"});
  return {[=](std::string& given) -> std::string {
            std::int64_t value = 0;
            char const* const end = given.data() + given.size();
            auto const [stop, error] = std::from_chars(given.data(), end, value);
            if (error == std::errc{} && stop == end && value >= least && value <= most) return "";
            return "expected a whole number in " + range + ", got '" + given + "'";
          },
          "in " + range};
}

/// A check: one number in [least, most]. NaN is in no range.
[[nodiscard]] inline CLI::Validator number(double least, double most) {
  std::string const range = diffsiam::text({"[", least, ", ", most, "]"});
  return {[=](std::string& given) -> std::string {
            double value = NAN;
            char const* const end = given.data() + given.size();
            auto const [stop, error] = std::from_chars(given.data(), end, value);
            if (error == std::errc{} && stop == end && value >= least && value <= most) return "";
            return "expected a number in " + range + ", got '" + given + "'";
          },
          "in " + range};
}

namespace detail {

/// Help shows the default of what is set already.
template <class T>
CLI::Option* add_checked(CLI::App& app, char const* name, T& value, CLI::Validator const& check,
                         char const* what) {
  CLI::Option* const option = app.add_option(name, value, what)->check(check);
  if constexpr (!requires { value.has_value(); }) option->capture_default_str();
  return option;
}

}  // namespace detail

/// An option that holds a whole number in [least, most]; `value` may be optional.
template <class T>
CLI::Option* add_whole_number(CLI::App& app, char const* name, T& value, std::int64_t least,
                              std::int64_t most, char const* what) {
  return detail::add_checked(app, name, value, whole_number(least, most), what);
}
/// An option that holds a number in [least, most]; `value` may be optional.
template <class T>
CLI::Option* add_number(CLI::App& app, char const* name, T& value, double least, double most,
                        char const* what) {
  return detail::add_checked(app, name, value, number(least, most), what);
}

inline void add_threads(CLI::App& app, int& threads) {
  add_whole_number(app, "--threads", threads, 0, diffsiam::ThreadPool::most_threads,
                   "0: all cores; the result does not depend on it");
}
inline void add_seed(CLI::App& app, std::uint64_t& seed, char const* what = "another random run") {
  add_whole_number(app, "--seed", seed, 0, most_seed, what);
}

}  // namespace experiments
