// Reads JSON files that contain one object, such as settings and results.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/json.hpp>

namespace diffsiam::io {

/// The object in `path`: int const subsets = read_json_object("run/config.json").at("subsets"). Throws
/// FileError, which names the file, if it is missing or, with line and column, if it is not a JSON object.
[[nodiscard]] inline nlohmann::json read_json_object(std::filesystem::path const& path) {
  std::vector<std::byte> const bytes = read_file(path);
  std::string_view const text{reinterpret_cast<char const*>(bytes.data()), bytes.size()};
  nlohmann::json value = parse_json<FileError>(text, path.string(), "a JSON object");
  if (!value.is_object()) fail<FileError>(path.string(), "a JSON object", value.type_name());
  return value;
}

/// The integer in [least, most] under `key` of an object that was read from `path`. Throws FileError, which
/// names file and key, if it is missing or something else.
[[nodiscard]] inline int whole_number_of(nlohmann::json const& object, std::filesystem::path const& path,
                                         char const* key, int least, int most) {
  auto const found = object.find(key);
  if (found == object.end() || !found->is_number_integer() || *found < least || *found > most)
    fail<FileError>(path.string(), {"\"", key, "\" to be a whole number in [", least, ", ", most, "]"},
                    found == object.end() ? std::string("none") : found->dump());
  return found->get<int>();
}

}  // namespace diffsiam::io
