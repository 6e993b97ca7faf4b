// MemoryPool: a heap of its own for tensors and workspaces. It takes few large segments from the system and
// cuts them by best fit, joining neighbours again when they are released: once the first steps of a loop have
// sized it, later steps take nothing from the system. It also counts: live and peak bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <utility>
#include <vector>

namespace diffsiam {

/// Thread-safe. A pool that is not backed counts bytes without providing memory: for estimates before a run.
class MemoryPool {
 public:
  enum class Backing { memory, counted_only };
  static constexpr std::size_t alignment = 64;

  explicit MemoryPool(Backing backing = Backing::memory) : backing_(backing) {}
  MemoryPool(MemoryPool const&) = delete;
  MemoryPool& operator=(MemoryPool const&) = delete;
  ~MemoryPool() {
    for (Segment const& segment : segments_) give_back(segment);
  }

  /// A block of at least `bytes`, aligned to 64. Throws std::bad_alloc when the system has none.
  [[nodiscard]] void* allocate(std::size_t bytes) {
    std::size_t const size = rounded(bytes);
    std::lock_guard const lock{mutex_};
    void* const block = backing_ == Backing::counted_only ? this : take(size);
    live_ += size;
    peak_ = std::max(peak_, live_);
    return block;
  }

  /// Returns a block obtained with the same `bytes`.
  void release(void* block, std::size_t bytes) noexcept {
    std::lock_guard const lock{mutex_};
    live_ -= rounded(bytes);
    if (backing_ == Backing::memory) put_back(header_of(block));
  }

  /// Gives segments that hold no live block back to the system.
  void trim() noexcept {
    std::lock_guard const lock{mutex_};
    std::erase_if(segments_, [this](Segment const& segment) {
      if (!segment.first->free || segment.first->size != segment.bytes) return false;
      unlist(segment.first);
      reserved_ -= segment.bytes;
      give_back(segment);
      return true;
    });
  }

  /// Bytes in blocks now handed out, rounded up to 64.
  [[nodiscard]] std::size_t live_bytes() const { return locked(live_); }
  /// The greatest live_bytes since construction or reset_peak().
  [[nodiscard]] std::size_t peak_bytes() const { return locked(peak_); }
  /// Bytes asked of the system. It provides pages as they are first touched, so fewer may be resident.
  [[nodiscard]] std::size_t reserved_bytes() const { return locked(reserved_); }
  void reset_peak() {
    std::lock_guard const lock{mutex_};
    peak_ = live_;
  }

 private:
  /// Stands before each block; blocks of a segment follow each other without gaps.
  struct alignas(alignment) Header {
    std::size_t size;  ///< with the header
    Header* before;    ///< in the same segment; null for its first
    bool last;         ///< in its segment
    bool free;
    bool small;                                                    ///< its segment holds small blocks
    std::set<std::pair<std::size_t, Header*>>::node_type listing;  ///< what lists it while it is free

    [[nodiscard]] Header* after() {
      return last ? nullptr : reinterpret_cast<Header*>(reinterpret_cast<std::byte*>(this) + size);
    }
  };
  struct Segment {
    Header* first;
    std::size_t bytes;
  };

  /// Payload as it is counted.
  [[nodiscard]] static std::size_t rounded(std::size_t bytes) {
    constexpr std::size_t most = std::size_t{1} << 48;  // what no machine has
    if (bytes > most) throw std::bad_alloc{};
    return std::max(alignment, (bytes + alignment - 1) / alignment * alignment);
  }
  [[nodiscard]] static Header* header_of(void* block) { return static_cast<Header*>(block) - 1; }

  [[nodiscard]] void* take(std::size_t payload) {
    std::size_t const size = payload + sizeof(Header);
    // Small blocks stay among themselves: one that lives long would spoil a place for a large one.
    bool const small = size <= largest_small;
    // The smallest block that fits, the lowest of them: what was touched before is touched again.
    FreeList& free = small ? free_small_ : free_;
    auto best = free.lower_bound({size, nullptr});
    Header* const block = best != free.end() ? best->second : add_segment(size, small);
    unlist(block);
    try {
      if (block->size - size >= smallest_rest) split(block, size);
    } catch (...) {
      list(block);
      throw;
    }
    block->free = false;
    return block + 1;
  }
  void put_back(Header* block) noexcept {
    if (Header* const after = block->after(); after != nullptr && after->free) absorb(block, after);
    if (Header* const before = block->before; before != nullptr && before->free) {
      unlist(before);
      absorb_unlisted(before, block);
      block = before;
    }
    list(block);
  }

  /// Cuts `block` to `size`; the rest is free.
  void split(Header* block, std::size_t size) {
    auto* const rest = ::new (reinterpret_cast<std::byte*>(block) + size)
        Header{block->size - size, block, block->last, true, block->small, {}};
    prepare_listing(rest);
    block->size = size;
    block->last = false;
    if (Header* const after = rest->after()) after->before = rest;
    list(rest);
  }
  /// `block` takes in its free neighbour.
  void absorb(Header* block, Header* after) noexcept {
    unlist(after);
    absorb_unlisted(block, after);
  }
  static void absorb_unlisted(Header* block, Header* after) noexcept {
    block->size += after->size;
    block->last = after->last;
    if (Header* const next = block->after()) next->before = block;
    after->~Header();
  }

  // Listing a block must not fail, so each carries the node that lists it from its creation on.
  void prepare_listing(Header* block) {
    std::set<std::pair<std::size_t, Header*>> maker;
    block->listing = maker.extract(maker.emplace(block->size, block).first);
  }
  void list(Header* block) noexcept {
    block->free = true;
    block->listing.value() = {block->size, block};
    list_of(block).insert(std::move(block->listing));
  }
  void unlist(Header* block) noexcept { block->listing = list_of(block).extract({block->size, block}); }

  /// One large free block more, which fits `size`.
  [[nodiscard]] Header* add_segment(std::size_t size, bool small) {
    // Grows by half, so that there are few borders over which nothing can be joined.
    std::size_t bytes =
        small ? first_segment : std::max({size, first_segment, reserved_ / 2 / alignment * alignment});
    void* memory = ::operator new(bytes, std::align_val_t{alignment}, std::nothrow);
    if (memory == nullptr) memory = ::operator new(bytes = size, std::align_val_t{alignment});
    auto* const block = ::new (memory) Header{bytes, nullptr, true, true, small, {}};
    try {
      prepare_listing(block);
      segments_.push_back({block, bytes});
    } catch (...) {
      give_back({block, bytes});
      throw;
    }
    reserved_ += bytes;
    list(block);
    return block;
  }
  static void give_back(Segment const& segment) noexcept {
    for (Header* block = segment.first; block != nullptr;) {
      Header* const after = block->after();
      block->~Header();
      block = after;
    }
    ::operator delete(static_cast<void*>(segment.first), std::align_val_t{alignment});
  }

  using FreeList = std::set<std::pair<std::size_t, Header*>>;  ///< by size, then by address
  [[nodiscard]] FreeList& list_of(Header* block) { return block->small ? free_small_ : free_; }

  [[nodiscard]] std::size_t locked(std::size_t const& value) const {
    std::lock_guard const lock{mutex_};
    return value;
  }

  static constexpr std::size_t smallest_rest = sizeof(Header) + 4 * alignment;
  static constexpr std::size_t first_segment = std::size_t{1} << 22;
  static constexpr std::size_t largest_small = std::size_t{1} << 19;

  Backing backing_;
  mutable std::mutex mutex_;
  FreeList free_, free_small_;
  std::vector<Segment> segments_;
  std::size_t live_ = 0, peak_ = 0, reserved_ = 0;
};

/// Memory of `bytes` that returns to its pool with the last handle; the pool lives at least as long.
[[nodiscard]] inline std::shared_ptr<void> allocate_shared_block(std::shared_ptr<MemoryPool> const& pool,
                                                                 std::size_t bytes) {
  return {pool->allocate(bytes), [pool, bytes](void* block) { pool->release(block, bytes); }};
}

}  // namespace diffsiam
