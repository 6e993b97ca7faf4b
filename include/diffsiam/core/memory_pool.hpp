// MemoryPool: a caching allocator. Blocks go back to a free list of their size, so that once the first steps
// of a loop have sized it, later steps take nothing from the system. It also counts: live and peak bytes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace diffsiam {

/// Thread-safe. A pool that is not backed counts bytes without providing memory: for estimates before a run.
class MemoryPool {
 public:
  enum class Backing { memory, counted_only };
  static constexpr std::size_t alignment = 64;

  explicit MemoryPool(Backing backing = Backing::memory) : backing_(backing) {}
  MemoryPool(MemoryPool const&) = delete;
  MemoryPool& operator=(MemoryPool const&) = delete;
  ~MemoryPool() { trim(); }

  /// A block of at least `bytes`, aligned to 64. Throws std::bad_alloc when the system has none.
  [[nodiscard]] void* allocate(std::size_t bytes) {
    Size const size = size_of(bytes);
    if (size.bin >= free_.size()) throw std::bad_alloc{};
    std::lock_guard const lock{mutex_};
    void* block = nullptr;
    if (backing_ == Backing::counted_only) {
      block = this;  // an address that is not null and never read
    } else if (FreeBlock*& head = free_[size.bin]; head != nullptr) {
      block = std::exchange(head, head->next);
    } else {
      block = ::operator new(size.bytes, std::align_val_t{alignment});
      reserved_ += size.bytes;
    }
    live_ += size.bytes;
    peak_ = live_ > peak_ ? live_ : peak_;
    return block;
  }

  /// Returns a block obtained with the same `bytes`.
  void release(void* block, std::size_t bytes) noexcept {
    Size const size = size_of(bytes);
    std::lock_guard const lock{mutex_};
    live_ -= size.bytes;
    if (backing_ == Backing::counted_only) return;
    free_[size.bin] = ::new (block) FreeBlock{free_[size.bin]};
  }

  /// Gives cached blocks back to the system.
  void trim() noexcept {
    std::lock_guard const lock{mutex_};
    for (std::size_t bin = 0; bin < free_.size(); ++bin) {
      while (free_[bin] != nullptr) {
        FreeBlock* const block = std::exchange(free_[bin], free_[bin]->next);
        ::operator delete(block, std::align_val_t{alignment});
        reserved_ -= bytes_of(bin);
      }
    }
  }

  /// Bytes in blocks now handed out, rounded up to the block sizes.
  [[nodiscard]] std::size_t live_bytes() const { return locked(live_); }
  /// The greatest live_bytes since construction or reset_peak().
  [[nodiscard]] std::size_t peak_bytes() const { return locked(peak_); }
  /// Bytes taken from the system, cached blocks included.
  [[nodiscard]] std::size_t reserved_bytes() const { return locked(reserved_); }
  void reset_peak() {
    std::lock_guard const lock{mutex_};
    peak_ = live_;
  }

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  struct Size {
    std::size_t bin, bytes;
  };

  // Eight sizes per power of two: at most an eighth of a block is wasted.
  static constexpr std::size_t smallest_exponent = 6;
  static constexpr std::size_t steps = 8;

  [[nodiscard]] static constexpr std::size_t bytes_of(std::size_t bin) {
    std::size_t const power = std::size_t{1} << (smallest_exponent + bin / steps);
    return power + power / steps * (bin % steps);
  }
  [[nodiscard]] static constexpr Size size_of(std::size_t bytes) {
    if (bytes <= (std::size_t{1} << smallest_exponent)) return {0, bytes_of(0)};
    auto const exponent = static_cast<std::size_t>(std::bit_width(bytes) - 1);
    std::size_t const power = std::size_t{1} << exponent;
    std::size_t const step = (bytes - power + power / steps - 1) / (power / steps);
    std::size_t const bin = (exponent - smallest_exponent) * steps + step;
    return {bin, bytes_of(bin)};
  }
  [[nodiscard]] std::size_t locked(std::size_t const& value) const {
    std::lock_guard const lock{mutex_};
    return value;
  }

  Backing backing_;
  mutable std::mutex mutex_;
  std::array<FreeBlock*, (48 - smallest_exponent) * steps> free_{};
  std::size_t live_ = 0, peak_ = 0, reserved_ = 0;
};

/// Memory of `bytes` that returns to its pool with the last handle; the pool lives at least as long.
[[nodiscard]] inline std::shared_ptr<void> allocate_shared_block(std::shared_ptr<MemoryPool> const& pool,
                                                                 std::size_t bytes) {
  return {pool->allocate(bytes), [pool, bytes](void* block) { pool->release(block, bytes); }};
}

}  // namespace diffsiam
