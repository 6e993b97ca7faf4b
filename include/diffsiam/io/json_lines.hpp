// JsonLines: the metrics of a run, with one JSON object on each line. Each line is passed to the system at
// once, so it survives the end of the process. A resumed run first removes the lines of steps that it will
// repeat.
#pragma once

#include <cerrno>
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
#include <unistd.h>

#include <diffsiam/core/error.hpp>
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

  JsonLines(JsonLines&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        torn_at_(other.torn_at_) {}
  JsonLines& operator=(JsonLines&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(torn_at_, other.torn_at_);
    return *this;
  }
  ~JsonLines() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Writes one line at once: append({{"step", 10}, {"loss", 0.25}}). Throws FileError if `record` is not an
  /// object or the disk refuses. A line that was written in part is removed; if that fails, the next append
  /// tries again.
  void append(nlohmann::ordered_json const& record) {
    if (!record.is_object()) fail<FileError>("JsonLines", "an object", record.type_name());
    std::string const line = line_of(record);
    if (torn_at_ >= 0 && ::ftruncate(descriptor_, torn_at_) != 0)
      fail<FileError>("JsonLines", "to take back a line written in part from " + detail::quoted(path_),
                      detail::system_message(errno));
    torn_at_ = -1;
    off_t const before = ::lseek(descriptor_, 0, SEEK_END);
    for (std::size_t written = 0; written < line.size();) {
      ssize_t const count = ::write(descriptor_, line.data() + written, line.size() - written);
      if (count >= 0) {
        written += static_cast<std::size_t>(count);
      } else if (errno != EINTR) {
        std::string const reason = detail::system_message(errno);
        bool const restored = written == 0 || ::ftruncate(descriptor_, before) == 0;
        if (!restored) torn_at_ = before;
        fail<FileError>("JsonLines", "to append a line to " + detail::quoted(path_), reason,
                        restored ? "the lines before are intact" : "its last line is incomplete");
      }
    }
  }

  [[nodiscard]] std::filesystem::path const& path() const& { return path_; }
  [[nodiscard]] std::filesystem::path path() const&& { return path_; }

 private:
  JsonLines(std::filesystem::path path, int flags)
      : path_(std::move(path)),
        descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0666)) {
    if (descriptor_ < 0)
      fail<FileError>("JsonLines", "to open " + detail::quoted(path_), detail::system_message(errno));
  }

  [[nodiscard]] static std::string line_of(nlohmann::ordered_json const& record) {
    // Text that is not UTF-8 must not lose the metrics of a run.
    return record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }

  std::filesystem::path path_;
  int descriptor_;
  off_t torn_at_ = -1;  ///< where a line begins that could be neither finished nor removed
};

}  // namespace diffsiam::io
