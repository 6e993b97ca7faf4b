// Settings and results that are one JSON object in a file.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>

namespace example {

/// Throws FileError that names the file: where it is missing, and with line and column where it is no JSON
/// object.
[[nodiscard]] inline nlohmann::json read_json(std::filesystem::path const& path) {
  auto const bytes = diffsiam::io::read_file(path);
  auto const* const begin = reinterpret_cast<char const*>(bytes.data());
  nlohmann::json value;
  try {
    value = nlohmann::json::parse(begin, begin + bytes.size());
  } catch (nlohmann::json::exception const& error) {
    diffsiam::fail<diffsiam::FileError>(path.string(), "a JSON object", error.what());
  }
  if (!value.is_object())
    diffsiam::fail<diffsiam::FileError>(path.string(), "a JSON object", value.type_name());
  return value;
}

/// A whole number in [least, most] of the object that stands in `path`. Throws FileError that names both,
/// where it is missing or something else.
[[nodiscard]] inline int whole_number_of(nlohmann::json const& object, std::filesystem::path const& path,
                                         char const* key, int least, int most) {
  auto const found = object.find(key);
  if (found == object.end() || !found->is_number_integer() || *found < least || *found > most)
    diffsiam::fail<diffsiam::FileError>(path.string(),
                                        {"\"", key, "\" to be a whole number in [", least, ", ", most, "]"},
                                        found == object.end() ? std::string("none") : found->dump());
  return found->get<int>();
}

}  // namespace example
