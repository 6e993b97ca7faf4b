// MappedFile: a file as memory. The system reads a page when it is touched and may drop it again, so that a
// file larger than memory can be read as an array.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>

namespace diffsiam::io {

/// Read-only. A file that is replaced (as AtomicFile does) stays mapped as it was. A file that another
/// program makes shorter while it is mapped ends this process with SIGBUS when the lost part is touched.
class MappedFile {
 public:
  /// Throws FileError when the file is missing, no regular file, or cannot be mapped.
  explicit MappedFile(std::filesystem::path const& path) {
    InputFile const file(path, "map_file");
    size_ = static_cast<std::size_t>(file.size());
    if (size_ == 0) return;  // nothing can be mapped
    memory_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.descriptor(), 0);
    if (memory_ == MAP_FAILED) {
      memory_ = nullptr;
      fail<FileError>("map_file", {"to map ", detail::quoted(path)}, detail::system_message(errno));
    }
  }
  MappedFile(MappedFile const&) = delete;
  MappedFile& operator=(MappedFile const&) = delete;
  ~MappedFile() {
    if (memory_ != nullptr) ::munmap(memory_, size_);
  }

  /// The whole file, as long as this object lives.
  [[nodiscard]] std::span<std::byte const> bytes() const& {
    return {static_cast<std::byte const*>(memory_), size_};
  }
  void bytes() const&& = delete;

 private:
  void* memory_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace diffsiam::io
