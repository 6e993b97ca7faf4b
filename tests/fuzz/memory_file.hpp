// A regular file that lives in memory, under a path: for readers that take one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include <sys/mman.h>
#include <tests/fuzz/fuzz.hpp>
#include <unistd.h>

namespace diffsiam::fuzz {

class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    require(descriptor_ >= 0, "memfd_create");
  }
  MemoryFile(MemoryFile const&) = delete;
  MemoryFile& operator=(MemoryFile const&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  void put(std::span<std::uint8_t const> bytes) {
    require(::ftruncate(descriptor_, 0) == 0, "ftruncate");
    require(::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
            "pwrite");
  }
  [[nodiscard]] std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace diffsiam::fuzz
