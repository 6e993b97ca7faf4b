// Files are read whole within a limit and written atomically: a reader of the target sees the old content or
// the new one, never a part, even after an error or a crash (POSIX: write beside, fsync, rename, fsync the
// folder).
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <diffsiam/core/error.hpp>

namespace diffsiam::io {

namespace detail {

/// The message of the system, such as "No space left on device". It does not use the shared buffer of
/// std::strerror.
[[nodiscard]] inline std::string system_message(int error_number) {
  return std::generic_category().message(error_number);
}

[[nodiscard]] inline std::string quoted(std::filesystem::path const& path) {
  return "'" + path.string() + "'";
}

inline constexpr std::string_view nothing_there = "no such file", link_to_nothing = "a link to nothing";

/// The reason why `path` cannot be read as a file, in words; "" if it is a regular file, or a link to one,
/// that may be read.
[[nodiscard]] inline std::string obstacle_at(std::filesystem::path const& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return system_message(errno);
    return std::string(::lstat(path.c_str(), &status) == 0 ? link_to_nothing : nothing_there);
  }
  if (S_ISDIR(status.st_mode)) return "a folder";
  if (!S_ISREG(status.st_mode)) return "a device or a pipe";
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) return system_message(errno);
  return "";
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, FileCloser>;

}  // namespace detail

/// Whether there is a file at `path` that can be read; false if there is nothing, or a link to nothing.
/// Throws FileError if there is something else: a folder, a device, or a file that may not be read.
[[nodiscard]] inline bool file_exists(std::filesystem::path const& path) {
  std::string const obstacle = detail::obstacle_at(path);
  if (obstacle.empty()) return true;
  if (obstacle == detail::nothing_there || obstacle == detail::link_to_nothing) return false;
  fail<FileError>("file_exists", {"a regular file at ", detail::quoted(path), ", or nothing"}, obstacle);
}

/// Whether there is anything at `path`; false for a link to nothing. Throws FileError if the system cannot
/// tell, as in a folder that may not be read.
[[nodiscard]] inline bool path_exists(std::filesystem::path const& path) {
  std::error_code error;
  bool const exists = std::filesystem::exists(path, error);
  if (error) fail<FileError>("path_exists", {"to look at ", detail::quoted(path)}, error.message());
  return exists;
}

/// Whether there is a folder at `path`, or a link to one; false where the system cannot tell.
[[nodiscard]] inline bool is_folder(std::filesystem::path const& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

/// The names of what is in a folder, in no order; `error` says why there are no more.
[[nodiscard]] inline std::vector<std::string> names_in(std::filesystem::path const& folder,
                                                       std::error_code& error) {
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry{folder, error};
  for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error))
    names.push_back(entry->path().filename().string());
  return names;
}

/// Creates a folder and its parents; does nothing if it exists. Throws FileError.
inline void create_folder(std::filesystem::path const& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    fail<FileError>("create_folder", {"to create the folder ", detail::quoted(path)}, error.message());
}
/// Removes a file; does nothing if there is none. Throws FileError.
inline void remove_file(std::filesystem::path const& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) fail<FileError>("remove_file", {"to remove ", detail::quoted(path)}, error.message());
}

/// A regular file, opened for reading. Its size is known before anything is read.
class InputFile {
 public:
  /// Throws FileError if the file is missing, may not be read, or is not a regular file.
  InputFile(std::filesystem::path path, std::string_view operation)
      : path_(std::move(path)), operation_(operation) {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    int const descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor >= 0) file_.reset(::fdopen(descriptor, "rb"));
    if (!file_) {
      std::string const reason = detail::system_message(errno);
      if (descriptor >= 0) ::close(descriptor);
      fail<FileError>(operation_, "to open " + detail::quoted(path_), reason);
    }
    struct stat status{};
    if (::fstat(::fileno(file_.get()), &status) != 0)
      fail<FileError>(operation_, "the size of " + detail::quoted(path_), detail::system_message(errno));
    if (!S_ISREG(status.st_mode))
      fail<FileError>(operation_, detail::quoted(path_) + " to be a regular file", "a folder or a device");
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  /// Size of the file in bytes, when it was opened.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// The file descriptor.
  [[nodiscard]] int descriptor() const { return ::fileno(file_.get()); }

  /// Fills `bytes` from the current position. Throws FileError if the file ends before.
  void read(std::span<std::byte> bytes) {
    if (bytes.empty()) return;  // the pointer of an empty span may be null, which C forbids
    std::size_t const count = std::fread(bytes.data(), 1, bytes.size(), file_.get());
    if (count == bytes.size()) return;
    std::string const reason =
        std::ferror(file_.get()) != 0 ? detail::system_message(errno) : "the end of the file";
    fail<FileError>(operation_, std::to_string(bytes.size()) + " bytes from " + detail::quoted(path_),
                    std::to_string(count) + " bytes, then " + reason);
  }

 private:
  std::filesystem::path path_;
  std::string operation_;
  detail::FileHandle file_;
  std::uint64_t size_ = 0;
};

/// The default limit of read_file: 1 GiB.
inline constexpr std::uint64_t default_read_limit = std::uint64_t{1} << 30;

/// The whole file. Throws FileError if it is missing, not a regular file, or larger than `limit` bytes, which
/// is checked before memory is allocated.
[[nodiscard]] inline std::vector<std::byte> read_file(std::filesystem::path const& path,
                                                      std::uint64_t limit = default_read_limit) {
  InputFile file(path, "read_file");
  if (file.size() > limit)
    fail<FileError>("read_file", detail::quoted(path) + " of at most " + std::to_string(limit) + " bytes",
                    std::to_string(file.size()) + " bytes");
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.size()));
  file.read(bytes);
  return bytes;
}

/// Writes a temporary file beside the target; commit() renames it to the target. Without commit(), or after
/// an error, the temporary file is removed and the target is unchanged. A link stays, and the file that it
/// points to is replaced. The new file has the mode of the old one and, where that is allowed, its owner. If
/// there was no file, it gets the usual mode of new files (that of the umask).
class AtomicFile {
 public:
  /// Throws FileError if no file can be created in the folder of `target`, or if `target` is a folder, a
  /// device or a pipe.
  explicit AtomicFile(std::filesystem::path target) : target_(behind_links(std::move(target))) {
    struct stat old{};
    bool const replaces = ::stat(target_.c_str(), &old) == 0;
    if (replaces && !S_ISREG(old.st_mode))
      fail<FileError>("write_file", detail::quoted(target_) + " to be a regular file",
                      detail::obstacle_at(target_), "what stood there before is unchanged");
    // With O_EXCL no other process uses this name. A leftover of a killed process with the same id costs one
    // more attempt.
    constexpr int attempts = 1000;
    int descriptor = -1;
    for (int attempt = 0; descriptor < 0 && attempt < attempts; ++attempt) {
      temporary_ = target_;
      temporary_ += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
      descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                          replaces ? old.st_mode & 0600 : 0666);
      if (descriptor < 0 && errno != EEXIST) break;
    }
    if (descriptor < 0) {
      std::string const reason = detail::system_message(errno);
      temporary_.clear();
      fail<FileError>("write_file", "to create a file beside " + detail::quoted(target_), reason,
                      "does the folder exist, and may you write there?");
    }
    file_.reset(::fdopen(descriptor, "wb"));
    if (!file_) {
      ::close(descriptor);
      give_up("a stream for");
    }
    if (!replaces) return;
    // Only root may change the owner; otherwise we own the new file. The mode comes second, because fchown
    // clears bits.
    bool const given = ::fchown(descriptor, old.st_uid, old.st_gid) == 0;
    if (::fchmod(descriptor, old.st_mode & (given ? 07777 : 0777)) != 0) give_up("the mode of");
  }

  AtomicFile(AtomicFile const&) = delete;
  AtomicFile& operator=(AtomicFile const&) = delete;
  ~AtomicFile() { discard(); }

  /// Appends to the temporary file. Throws FileError if the disk refuses.
  void write(std::span<std::byte const> bytes) {
    require_open();
    if (bytes.empty()) return;
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) give_up("to write");
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Overwrites bytes that were written before, such as a header that is known only at the end. Throws
  /// FileError if the disk refuses.
  void overwrite(std::uint64_t position, std::span<std::byte const> bytes) {
    require_open();
    if (::fseeko(file_.get(), static_cast<off_t>(position), SEEK_SET) != 0) give_up("to write");
    write(bytes);
    if (::fseeko(file_.get(), 0, SEEK_END) != 0) give_up("to write");
  }

  /// Writes everything to the disk and renames it to the target. Throws FileError; the target is unchanged
  /// then.
  void commit() {
    require_open();
    // What needs memory comes before the rename, after which the target has changed.
    std::filesystem::path const folder = target_.has_parent_path() ? target_.parent_path() : ".";
    if (std::fflush(file_.get()) != 0) give_up("to write");
    if (::fsync(::fileno(file_.get())) != 0) give_up("to bring to the disk");
    if (std::fclose(file_.release()) != 0) give_up("to close");
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) give_up("to rename to");
    temporary_.clear();
    sync(folder);
  }

 private:
  /// Follows links to their end, whether there is a file or not. Throws FileError for links that form a
  /// circle.
  [[nodiscard]] static std::filesystem::path behind_links(std::filesystem::path target) {
    std::filesystem::path const asked = target;
    std::error_code error;
    for (int links = 0; std::filesystem::is_symlink(target, error); ++links) {
      std::filesystem::path const next = std::filesystem::read_symlink(target, error);
      constexpr int most = 40;  // the limit of the system
      if (error || links == most)
        fail<FileError>("write_file", "a file behind the link " + detail::quoted(asked),
                        error ? error.message() : std::to_string(most) + " links and more");
      target = target.parent_path() / next;  // an absolute path replaces target
    }
    return target;
  }

  void require_open() const {
    if (!file_)
      fail<FileError>("write_file", "an open " + detail::quoted(target_), "a file already finished");
  }

  [[noreturn]] void give_up(std::string_view expectation) {
    int const error_number = errno;
    discard();  // first, because messages may find no memory
    fail<FileError>("write_file", std::string(expectation) + " " + detail::quoted(target_),
                    detail::system_message(error_number), "what stood there before is unchanged");
  }

  void discard() {
    file_.reset();
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
  }

  /// Writes the rename itself to the disk. Folders that cannot be opened or synced are ignored.
  void sync(std::filesystem::path const& folder) const {
    int const descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    int const status = ::fsync(descriptor);
    int const error_number = errno;
    ::close(descriptor);
    if (status != 0 && error_number == EIO)
      fail<FileError>("write_file", "to bring the folder of " + detail::quoted(target_) + " to the disk",
                      detail::system_message(error_number));
  }

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  detail::FileHandle file_;
};

/// Replaces `path` by `content`, atomically. Throws FileError; the old file is unchanged then.
inline void write_file(std::filesystem::path const& path, std::span<std::byte const> content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}
inline void write_file(std::filesystem::path const& path, std::string_view content) {
  write_file(path, std::as_bytes(std::span(content)));
}

}  // namespace diffsiam::io
