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

}  // namespace diffsiam::io
