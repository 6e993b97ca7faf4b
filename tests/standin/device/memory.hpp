// DeviceMemory: the memory of the stand-in. Blocks lie as cudaMalloc places them, with pages around each that
// nobody may touch. Fresh memory is NaN in every floating-point type, and the host may touch none of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace diffsiam::standin {

class DeviceMemory {
 public:
  static constexpr std::size_t alignment = 256;
  /// A byte of memory that nobody has written. Floats, bfloat16 and float16 of it are NaN.
  static constexpr unsigned char poison = 0xFF;

  DeviceMemory();
  DeviceMemory(DeviceMemory const&) = delete;
  DeviceMemory& operator=(DeviceMemory const&) = delete;
  ~DeviceMemory();

  /// Null if the device has too little memory. Addresses are never used twice.
  [[nodiscard]] void* take(std::size_t bytes);
  /// Returns false if no block begins there. The memory cannot be touched any more.
  [[nodiscard]] bool give_back(void* memory);

  [[nodiscard]] bool contains(void const* address) const;
  /// Whether [address, address + bytes) lies in one block that is in use.
  [[nodiscard]] bool holds(void const* address, std::size_t bytes) const;
  /// What an address is, in words: "4 bytes behind a block of 256 bytes".
  [[nodiscard]] std::string describe(void const* address) const;
  /// A sentence about a block beside which something was written; empty if there is none.
  [[nodiscard]] std::string find_overrun() const;

  /// Lets the device touch its memory, and nobody.
  void open();
  void close();
  [[nodiscard]] bool is_open() const { return open_; }

  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::size_t blocks() const { return blocks_.size(); }
  std::size_t total = std::size_t{8} << 30;  ///< what the device has
  bool poisons = true;                       ///< otherwise fresh memory is zero, and costs nothing

 private:
  struct Block {
    std::uintptr_t first_page, pages_end;
    std::size_t bytes;
  };
  using Blocks = std::map<std::uintptr_t, Block>;  // by address

  [[nodiscard]] static bool is_intact(std::uintptr_t begin, std::uintptr_t end);
  void protect(Block const& block, bool usable) const;
  [[nodiscard]] static std::optional<std::string> relation(std::uintptr_t at, Blocks const& blocks,
                                                           std::string_view kind);

  std::uintptr_t begin_ = 0, next_ = 0;
  Blocks blocks_, former_;
  std::size_t used_ = 0;
  bool open_ = false;
};

}  // namespace diffsiam::standin
