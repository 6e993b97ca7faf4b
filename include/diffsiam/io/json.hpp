// Reads JSON from files that are not trusted. The JSON library parses any depth, but it compares, copies and
// prints recursively, so some ten thousand brackets would overflow the stack. Therefore the depth is limited
// before anything is parsed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam::io {

/// The most levels of arrays and objects that are read.
inline constexpr std::size_t json_depth_limit = 100;

/// Levels of arrays and objects in a JSON text. If the text is not JSON, at least as many as a parser may
/// open before it finds out.
[[nodiscard]] inline std::size_t json_depth(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  bool inside_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (inside_string) {
      if (c == '\\') ++i;  // an escaped character does not end a string
      inside_string = c != '"';
    } else if (c == '"') {
      inside_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

namespace detail {

/// Listens to a parser, and stops it at the first name that occurs twice in an object.
class NamesOnce final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::optional<std::string> twice;

  bool start_object(std::size_t) override {
    names_.emplace_back();
    return true;
  }
  bool end_object() override {
    names_.pop_back();
    return true;
  }
  bool key(string_t& name) override {
    bool const is_new = names_.back().insert(name).second;
    if (!is_new) twice = name;
    return is_new;
  }
  bool parse_error(std::size_t, std::string const&, nlohmann::json::exception const&) override {
    return false;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, string_t const&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }

 private:
  std::vector<std::set<std::string>> names_;  ///< names of the objects that are open
};

/// The beginning of a text that is not trusted, short and printable, for messages.
[[nodiscard]] inline std::string shown_text(std::string_view text, std::size_t limit = 200) {
  bool const cut = text.size() > limit;
  if (cut)
    while (limit > 0 && (text[limit] & 0xC0) == 0x80) --limit;  // not within a UTF-8 character
  std::string shown{text.substr(0, limit)};
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return cut ? shown + "..." : shown;
}

}  // namespace detail

/// A name that occurs twice in an object of this JSON text; parsers accept this and use the last value. Empty
/// if there is none, or if the text is not JSON. (A callback of the parser could find it, but takes quadratic
/// time.)
[[nodiscard]] inline std::optional<std::string> name_given_twice(std::string_view text) {
  detail::NamesOnce listener;
  (void)nlohmann::json::sax_parse(text.begin(), text.end(), &listener);
  return listener.twice;
}

/// The value of a JSON text. Throws E, "`operation`: expected `what`, got ...", for a text that is not JSON
/// or is nested deeper than json_depth_limit.
template <class E>
[[nodiscard]] nlohmann::json parse_json(std::string_view text, std::string_view operation, Text const& what) {
  if (std::size_t const depth = json_depth(text); depth > json_depth_limit)
    fail<E>(operation, what, {depth, " levels"}, {"at most ", json_depth_limit, " are read"});
  if (std::size_t const nul = text.find('\0'); nul != text.npos)  // the parser takes it for the end
    fail<E>(operation, what, {"a NUL in byte ", nul});
  try {
    return nlohmann::json::parse(text.begin(), text.end());
  } catch (nlohmann::json::exception const& error) {
    fail<E>(operation, what, detail::shown_text(error.what()));
  }
}

}  // namespace diffsiam::io
