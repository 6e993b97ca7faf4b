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

/// What a card can do at most. Operations are multiplications and additions.
struct Card {
  std::string_view name;
  double bytes_per_second;
  double float32, tf32, bf16;  ///< operations in a second, dense, with sums in float32
};
/// As NVIDIA says. Data sheets give bytes, and operations of the A100; those of the H100 are with sparsity
/// there, twice as many, and to four digits in its white paper. Those of GeForce cards are in the white
/// papers of Ada and of RTX Blackwell. They were not read again but are quoted from memory and from pages
/// that quote them. But operations in bf16 can be worked out: multiprocessors times operations in a clock
/// times the boost clock are
///   A100  108 x 2048 x 1.41 GHz    H100, H200  132 x 4096 x 1.83 GHz
///   4090  128 x  512 x 2.52 GHz    5090        170 x  512 x 2.407 GHz
/// TF32 is half of that. float32 is 128 (A100) or 256 operations in a clock, on the H100 at 1.98 GHz. The
/// A100 is the one with 80 GB, H100 and H200 are those for SXM; an A100 with 40 GB has 1.555e12 bytes in a
/// second.
inline constexpr std::array cards{
    Card{"a100", 2.039e12, 19.5e12, 156e12, 312e12}, Card{"h100", 3.35e12, 66.9e12, 494.7e12, 989.4e12},
    Card{"h200", 4.8e12, 66.9e12, 494.7e12, 989.4e12}, Card{"rtx4090", 1.008e12, 82.6e12, 82.6e12, 165.2e12},
    Card{"rtx5090", 1.792e12, 104.8e12, 104.8e12, 209.5e12}};

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
