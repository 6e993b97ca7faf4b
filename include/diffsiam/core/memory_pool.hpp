// MemoryPool: the library's own heap for tensors and workspaces. It takes a few large segments from the
// system, divides them by best fit, and joins neighbours when they are released. Once the first steps of a
// loop have sized the pool, later steps take nothing from the system. It also counts bytes: live, peak and
// touched.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <utility>

namespace diffsiam {

/// Where a pool's segments come from. `take` returns null when there is no more memory, and otherwise memory
/// aligned to `alignment`, a power of two, as are all blocks of the pool.
struct MemorySource {
  void* (*take)(std::size_t bytes) noexcept;
  void (*give_back)(void* memory) noexcept;  ///< takes back what `take` gave
  std::size_t alignment = 64;                ///< in bytes; sizes of blocks are rounded up to a multiple of it

  /// The host's heap.
  [[nodiscard]] static MemorySource host();
  /// No memory: a pool with this source places blocks as any other pool would, but at addresses where nothing
  /// is. For estimates before a run.
  [[nodiscard]] static constexpr MemorySource none() { return {nullptr, nullptr}; }
};

/// Thread-safe.
class MemoryPool {
  struct Segment;

 public:
  /// The description of a block is stored outside the pool's memory, so that the memory need not exist.
  class Block {
   public:
    /// Aligned as the source says.
    [[nodiscard]] void* data() const {
      return reinterpret_cast<void*>(address_);  // NOLINT(performance-no-int-to-ptr)
    }

   private:
    friend class MemoryPool;
    friend std::shared_ptr<void> allocate_shared_block(std::shared_ptr<MemoryPool> const&, std::size_t);
    struct LowestOfSmallest {
      bool operator()(Block const* a, Block const* b) const {
        return a->size_ != b->size_ ? a->size_ < b->size_ : a->place_ < b->place_;
      }
    };
    using FreeList = std::set<Block*, LowestOfSmallest>;

    std::uintptr_t address_ = 0;
    /// The address if segments lay one behind the other, the oldest first. Blocks are chosen by it, so the
    /// choice is the same wherever the source's memory lies.
    std::uintptr_t place_ = 0;
    std::size_t size_ = 0;
    Block *before_ = nullptr, *after_ = nullptr;  ///< neighbours in the same segment
    std::unique_ptr<Block> older_;                ///< the list of all blocks ever made
    Segment* segment_ = nullptr;
    bool free_ = false;
    std::shared_ptr<MemoryPool> keeper_;  ///< keeps the pool alive while the block is shared
    FreeList::node_type
        listing_;  ///< its node in the free list, made with the block so that release cannot fail
  };

  /// Takes nothing from the source before the first allocate().
  explicit MemoryPool(MemorySource source = MemorySource::host())
      : source_(source), next_place_(source.alignment) {}
  MemoryPool(MemoryPool const&) = delete;
  MemoryPool& operator=(MemoryPool const&) = delete;
  ~MemoryPool() {
    // One by one: destroying the whole chain at once would be recursive.
    for (; segments_; segments_ = std::move(segments_->older)) give_back(*segments_);
    while (blocks_) blocks_ = std::move(blocks_->older_);
  }

  /// A block of at least `bytes`. Throws std::bad_alloc when the source has none.
  [[nodiscard]] Block* allocate(std::size_t bytes) {
    std::size_t const size = rounded(bytes);
    std::lock_guard const lock{mutex_};
    // Small blocks have their own segments: a small block that lives long would take the place of a large
    // one.
    bool const small = size <= largest_small;
    // The smallest block that fits, at the lowest place, so that memory that was touched before is used
    // again.
    Block wanted;
    wanted.size_ = size;
    auto const best = free_[small].lower_bound(&wanted);
    Block* const block = best != free_[small].end() ? *best : add_segment(size, small);
    Block* const rest = block->size_ > size ? new_block() : nullptr;
    unlist(block);
    if (rest != nullptr) split(block, size, rest);
    live_ += size;
    peak_ = std::max(peak_, live_);
    Segment& segment = *block->segment_;
    segment.touched = std::max(segment.touched, block->address_ + size - segment.first->address_);
    return block;
  }

  /// Takes a block back.
  void release(Block* block) noexcept {
    std::lock_guard const lock{mutex_};
    live_ -= block->size_;
    if (block->after_ != nullptr && block->after_->free_) join(block, block->after_);
    if (Block* const before = block->before_; before != nullptr && before->free_) {
      join(before, block);
      block = before;
    }
    list(block);
  }

  /// Gives segments that hold no live block back to the system.
  void trim() noexcept {
    std::lock_guard const lock{mutex_};
    for (Segment* segment = segments_.get(); segment != nullptr; segment = segment->older.get()) {
      Block* const whole = segment->first;
      if (whole == nullptr || !whole->free_ || whole->after_ != nullptr) continue;
      unlist(whole);
      give_back(*segment);
      spare(whole);
      reserved_ -= segment->bytes;
      segment->first = nullptr;  // to be used again
      segment->touched = 0;
    }
  }

  /// Whether this is memory of the pool, handed out or not.
  [[nodiscard]] bool holds(void const* memory) const {
    auto const address = reinterpret_cast<std::uintptr_t>(memory);
    std::lock_guard const lock{mutex_};
    for (Segment const* segment = segments_.get(); segment != nullptr; segment = segment->older.get())
      if (segment->first != nullptr && address - segment->first->address_ < segment->bytes) return true;
    return false;
  }

  /// Bytes in blocks now handed out, rounded up to the alignment.
  [[nodiscard]] std::size_t live_bytes() const { return locked(live_); }
  /// The greatest live_bytes since construction or reset_peak().
  [[nodiscard]] std::size_t peak_bytes() const { return locked(peak_); }
  /// Bytes up to the end of the farthest block that each segment ever held. This is about the resident size,
  /// since the system provides pages when they are first touched. It is above peak_bytes by the gaps between
  /// blocks.
  [[nodiscard]] std::size_t touched_bytes() const {
    std::lock_guard const lock{mutex_};
    std::size_t sum = 0;
    for (Segment const* segment = segments_.get(); segment != nullptr; segment = segment->older.get())
      sum += segment->touched;
    return sum;
  }
  /// Bytes requested from the system, touched or not.
  [[nodiscard]] std::size_t reserved_bytes() const { return locked(reserved_); }
  /// Lets peak_bytes() begin again at live_bytes().
  void reset_peak() {
    std::lock_guard const lock{mutex_};
    peak_ = live_;
  }

 private:
  using FreeList = Block::FreeList;
  struct Segment {
    std::unique_ptr<Segment> older;
    Block* first = nullptr;  ///< null after the segment was given back
    std::size_t bytes = 0, touched = 0;
    bool small = false;
  };

  [[nodiscard]] std::size_t rounded(std::size_t bytes) const {
    constexpr std::size_t most = std::size_t{1} << 48;  // more than any machine has
    if (bytes > most) throw std::bad_alloc{};
    std::size_t const alignment = source_.alignment;
    return std::max(alignment, (bytes + alignment - 1) / alignment * alignment);
  }

  /// Reduces a block that is on no list to `size`; `rest` becomes a free block behind it.
  void split(Block* block, std::size_t size, Block* rest) noexcept {
    rest->address_ = block->address_ + size;
    rest->place_ = block->place_ + size;
    rest->size_ = block->size_ - size;
    rest->before_ = block;
    rest->after_ = block->after_;
    rest->segment_ = block->segment_;
    if (rest->after_ != nullptr) rest->after_->before_ = rest;
    block->after_ = rest;
    block->size_ = size;
    list(rest);
  }
  /// Merges `block`, which is on no list, with its neighbour behind it; either may be the one that was
  /// released.
  void join(Block* block, Block* after) noexcept {
    if (after->free_) unlist(after);
    if (block->free_) unlist(block);
    block->size_ += after->size_;
    block->after_ = after->after_;
    if (block->after_ != nullptr) block->after_->before_ = block;
    spare(after);
  }

  [[nodiscard]] FreeList& list_of(Block const* block) { return free_[block->segment_->small]; }
  void list(Block* block) noexcept {
    block->free_ = true;
    list_of(block).insert(std::move(block->listing_));
  }
  void unlist(Block* block) noexcept {
    block->free_ = false;
    block->listing_ = list_of(block).extract(block);
  }

  // Descriptions of blocks are reused: after a while the pool takes nothing from any heap.
  [[nodiscard]] Block* new_block() {
    if (spares_ != nullptr) return std::exchange(spares_, spares_->after_);
    auto made = std::make_unique<Block>();
    made->older_ = std::move(blocks_);
    blocks_ = std::move(made);
    Block* const block = blocks_.get();
    FreeList maker;
    block->listing_ = maker.extract(maker.insert(block).first);
    return block;
  }
  void spare(Block* block) noexcept {
    block->after_ = spares_;
    spares_ = block;
  }

  /// A new large free block that fits `size`.
  [[nodiscard]] Block* add_segment(std::size_t size, bool small) {
    // The pool grows by half, so that there are few segment borders across which blocks cannot be joined.
    std::size_t bytes =
        small ? first_segment
              : std::max({size, first_segment, reserved_ / 2 / source_.alignment * source_.alignment});
    Segment* segment = segments_.get();
    while (segment != nullptr && segment->first != nullptr) segment = segment->older.get();
    if (segment == nullptr) {
      auto made = std::make_unique<Segment>();
      made->older = std::move(segments_);
      segments_ = std::move(made);
      segment = segments_.get();
    }
    Block* const block = new_block();
    block->address_ = address_of_new(bytes);
    if (block->address_ == 0) block->address_ = address_of_new(bytes = size);
    if (block->address_ == 0) {
      spare(block);
      throw std::bad_alloc{};
    }
    block->place_ = std::exchange(next_place_, next_place_ + bytes);
    block->size_ = bytes;
    block->before_ = block->after_ = nullptr;
    block->segment_ = segment;
    segment->first = block;
    segment->bytes = bytes;
    segment->small = small;
    reserved_ += bytes;
    list(block);
    return block;
  }
  /// Zero if the source has none.
  [[nodiscard]] std::uintptr_t address_of_new(std::size_t bytes) {
    if (source_.take == nullptr) return next_place_;
    return reinterpret_cast<std::uintptr_t>(source_.take(bytes));
  }
  void give_back(Segment const& segment) noexcept {
    if (segment.first != nullptr && source_.take != nullptr) source_.give_back(segment.first->data());
  }

  [[nodiscard]] std::size_t locked(std::size_t const& value) const {
    std::lock_guard const lock{mutex_};
    return value;
  }

  static constexpr std::size_t first_segment = std::size_t{1} << 22;
  static constexpr std::size_t largest_small = std::size_t{1} << 19;

  MemorySource source_;
  mutable std::mutex mutex_;
  FreeList free_[2];                   ///< of large blocks, of small ones
  std::unique_ptr<Segment> segments_;  ///< all ever made, the newest first
  std::unique_ptr<Block> blocks_;      ///< likewise
  Block* spares_ = nullptr;
  std::uintptr_t next_place_;
  std::size_t live_ = 0, peak_ = 0, reserved_ = 0;
};

namespace detail {
inline constexpr std::size_t heap_alignment = MemorySource::none().alignment;
inline void* take_from_heap(std::size_t bytes) noexcept {
  return ::operator new(bytes, std::align_val_t{heap_alignment}, std::nothrow);
}
inline void give_back_to_heap(void* memory) noexcept {
  ::operator delete(memory, std::align_val_t{heap_alignment});
}
}  // namespace detail

inline MemorySource MemorySource::host() {
  return {&detail::take_from_heap, &detail::give_back_to_heap};
}

/// Memory of `bytes` that returns to its pool with the last handle. The pool lives at least as long.
[[nodiscard]] inline std::shared_ptr<void> allocate_shared_block(std::shared_ptr<MemoryPool> const& pool,
                                                                 std::size_t bytes) {
  MemoryPool::Block* const block = pool->allocate(bytes);
  block->keeper_ = pool;
  return {block->data(), [block](void*) {
            std::shared_ptr<MemoryPool> const keeper = std::move(block->keeper_);
            keeper->release(block);
          }};
}

}  // namespace diffsiam
