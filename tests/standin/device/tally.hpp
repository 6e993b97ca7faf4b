// Tally: counts what a device would have to do instead of doing it: launches, bytes and operations on
// numbers. Nothing here is measured.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace diffsiam::standin {

/// What a card can do at most; to be compared with its maker's data sheet before a bound is quoted.
/// Operations are multiplications and additions.
struct Card {
  std::string_view name;
  double bytes_per_second;
  double float32, tf32, bf16;  ///< operations in a second, dense
};
inline constexpr std::array cards{
    Card{"a100", 2.039e12, 19.5e12, 156e12, 312e12}, Card{"h100", 3.35e12, 66.9e12, 494.7e12, 989.4e12},
    Card{"h200", 4.8e12, 66.9e12, 494.7e12, 989.4e12}, Card{"rtx4090", 1.008e12, 82.6e12, 82.6e12, 165.2e12}};

/// How the operands of a product are multiplied.
enum class Unit { float32, tf32, bits16 };

struct Counts {
  std::size_t launches = 0, copies = 0;
  double read = 0, written = 0;  ///< bytes
  double operations = 0;         ///< of products and convolutions
  double bound = 0;              ///< seconds: of each launch the longer of its bytes and its operations
};

class Tally {
 public:
  static constexpr std::uintptr_t sector = 32;
  static constexpr std::int64_t most_blocks = 24;  ///< of a kernel that are stepped; the others are like them

  explicit Tally(Card const& card) : card_(card) {}

  bool skips_kernels = false;  ///< they are neither done nor counted: of steps before the one that counts
  std::map<std::string, Counts> by_operation;
  [[nodiscard]] Counts total() const {
    Counts sum;
    for (auto const& [name, counts] : by_operation) {
      sum.launches += counts.launches;
      sum.copies += counts.copies;
      sum.read += counts.read;
      sum.written += counts.written;
      sum.operations += counts.operations;
      sum.bound += counts.bound;
    }
    return sum;
  }

  /// A product or a convolution.
  void add_product(std::string const& operation, double read, double written, double operations, Unit unit);
  void add_copy(std::string const& operation, double bytes);

  // A kernel: begin, blocks with the accesses of their threads, end.
  void begin_block();
  /// The thread that runs now. Not inline: the compiler would move it across the calls that it makes for
  /// accesses, and takes them to read nothing of ours.
  void enter(int thread);
  void touch(std::uintptr_t address, std::size_t bytes, bool writes);
  void end_block();
  void end_kernel(std::string const& operation, double blocks, double stepped);
  [[nodiscard]] bool in_block() const { return in_block_; }

 private:
  void add(Counts& counts, double read, double written, double operations, double peak) const;

  Card card_;
  using Sectors = std::vector<std::uintptr_t>;
  std::array<Sectors, 8> read_{}, written_{};  // by warp
  std::size_t warp_ = 0;
  double sectors_read_ = 0, sectors_written_ = 0;
  bool in_block_ = false;
};

}  // namespace diffsiam::standin
