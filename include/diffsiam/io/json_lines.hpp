// JsonLines: the metrics of a run, with one JSON object on each line. Each line is passed to the system at
// once, so it survives the end of the process. A resumed run first removes the lines of steps that it will
// repeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/append_file.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/json.hpp>

namespace diffsiam::io {

/// All lines of a file of JSON objects. A last line without a newline, as a killed process leaves it, is
/// ignored. Throws FileError if the file is missing, and, with the line number, if another line is not an
/// object or is nested deeper than json_depth_limit.
[[nodiscard]] inline std::vector<nlohmann::ordered_json> read_json_lines(std::filesystem::path const& path) {
  std::vector<std::byte> const bytes = read_file(path);
  std::string_view rest(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  std::vector<nlohmann::ordered_json> records;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    std::string_view const line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    nlohmann::ordered_json record;
    if (json_depth(line) <= json_depth_limit)
      record = nlohmann::ordered_json::parse(line.begin(), line.end(), nullptr, false);
    // The parser takes a NUL for the end; a disk without power leaves many.
    if (!record.is_object() || line.find('\0') != std::string_view::npos)
      fail<FileError>(
          "read_json_lines",
          "a JSON object in line " + std::to_string(records.size() + 1) + " of " + detail::quoted(path),
          "'" + std::string(line.substr(0, 60)) + "'");
    records.push_back(std::move(record));
  }
  return records;
}

/// Appends objects, one on each line. NaN and infinities are stored as null, because JSON cannot express
/// them.
class JsonLines {
 public:
  /// Creates an empty file, or empties the one that is there. Throws FileError if it cannot be written.
  [[nodiscard]] static JsonLines create(std::filesystem::path path) { return {std::move(path), O_TRUNC}; }

  /// Keeps the lines whose "step" is at most `step` and those without "step"; creates a missing file. Throws
  /// FileError if the file cannot be read or written; it is unchanged then.
  [[nodiscard]] static JsonLines resume(std::filesystem::path path, std::int64_t step) {
    if (file_exists(path)) {
      std::string kept;
      for (auto const& record : read_json_lines(path)) {
        auto const found = record.find("step");
        bool const later =
            found != record.end() && found->is_number() && found->get<double>() > static_cast<double>(step);
        if (!later) kept += line_of(record);
      }
      write_file(path, kept);
    }
    return {std::move(path), 0};
  }

  /// Writes one line at once: append({{"step", 10}, {"loss", 0.25}}). Throws FileError if `record` is not an
  /// object or the disk refuses. A line that was written in part is removed; if that fails, the next append
  /// tries again.
  void append(nlohmann::ordered_json const& record) {
    if (!record.is_object()) fail<FileError>("JsonLines", "an object", record.type_name());
    file_.append(line_of(record));
  }

  [[nodiscard]] std::filesystem::path const& path() const& { return file_.path(); }
  [[nodiscard]] std::filesystem::path path() const&& { return file_.path(); }

 private:
  JsonLines(std::filesystem::path path, int flags) : file_(std::move(path), flags, {"JsonLines", "line"}) {}

  [[nodiscard]] static std::string line_of(nlohmann::ordered_json const& record) {
    // Text that is not UTF-8 must not lose the metrics of a run.
    return record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }

  AppendFile file_;
};

}  // namespace diffsiam::io
