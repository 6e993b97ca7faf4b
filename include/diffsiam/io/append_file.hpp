// AppendFile: a file that grows record by record. Each record is passed to the system at once, so it survives
// the end of the process, and none stays in the file in part.
#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>

namespace diffsiam::io {

/// One writer at a time. Moving is cheap; the source may then only be assigned or destroyed.
class AppendFile {
 public:
  /// How errors name the writer and one of its records, such as {"JsonLines", "line"}. Both texts must
  /// outlive the file.
  /// `operation` begins the sentence, and `record` is what it calls one record.
  struct Words {
    std::string_view operation;
    std::string_view record;
  };

  /// `flags` of open() beside those for appending: O_TRUNC begins with an empty file, O_EXCL refuses one that
  /// is there. Throws FileError if the file cannot be opened.
  AppendFile(std::filesystem::path path, int flags, Words words)
      : path_(std::move(path)),
        words_(words),
        descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0666)) {
    if (descriptor_ < 0)
      fail<FileError>(words_.operation, {"to open ", detail::quoted(path_)}, detail::system_message(errno));
  }
  AppendFile(AppendFile&& other) noexcept
      : path_(std::move(other.path_)),
        words_(other.words_),
        descriptor_(std::exchange(other.descriptor_, -1)),
        torn_at_(other.torn_at_) {}
  /// The two change places, so that `other` closes the file that was here.
  AppendFile& operator=(AppendFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(words_, other.words_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(torn_at_, other.torn_at_);
    return *this;
  }
  ~AppendFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Writes one record at once. Throws FileError if the disk refuses. A record that was written in part is
  /// removed; if that fails, the next append tries again.
  void append(std::span<std::byte const> record) {
    if (torn_at_ >= 0 && ::ftruncate(descriptor_, torn_at_) != 0)
      fail<FileError>(words_.operation,
                      {"to take back a ", words_.record, " written in part from ", detail::quoted(path_)},
                      detail::system_message(errno));
    torn_at_ = -1;
    off_t const before = ::lseek(descriptor_, 0, SEEK_END);
    for (std::size_t written = 0; written < record.size();) {
      ssize_t const count = ::write(descriptor_, record.data() + written, record.size() - written);
      if (count >= 0) {
        written += static_cast<std::size_t>(count);
      } else if (errno != EINTR) {
        std::string const reason = detail::system_message(errno);
        bool const restored = written == 0 || ::ftruncate(descriptor_, before) == 0;
        if (!restored) torn_at_ = before;
        fail<FileError>(words_.operation, {"to append a ", words_.record, " to ", detail::quoted(path_)},
                        reason,
                        {restored ? "the " : "its last ", words_.record,
                         restored ? "s before are intact" : " is incomplete"});
      }
    }
  }
  void append(std::string_view record) { append(std::as_bytes(std::span(record))); }

  [[nodiscard]] std::filesystem::path const& path() const& { return path_; }
  [[nodiscard]] std::filesystem::path path() const&& { return path_; }

 private:
  std::filesystem::path path_;
  Words words_;
  int descriptor_;
  off_t torn_at_ = -1;  ///< where a record begins that could be neither finished nor removed
};

}  // namespace diffsiam::io
