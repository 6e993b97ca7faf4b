// RecordingState: the part of a context that can record work for later replay. Recorded work is not done at
// once, so its values cannot be read yet, and every replay writes to the same memory again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/memory_pool.hpp>

namespace diffsiam::backend {

/// Used by the thread of its context.
class RecordingState {
 public:
  /// Whether work is recorded instead of done.
  [[nodiscard]] bool recording() const { return memory_ != nullptr; }
  /// The memory pool from which recorded work allocates; null unless recording.
  [[nodiscard]] std::shared_ptr<MemoryPool> const& memory() const& { return memory_; }
  [[nodiscard]] std::shared_ptr<MemoryPool> memory() const&& { return memory_; }
  /// Where random kernels read how many steps they are after the recorded step; null unless recording.
  [[nodiscard]] std::uint64_t const* rng_offset() const& { return rng_offset_; }
  void rng_offset() const&& = delete;

  /// Throws Error if a recording has begun already.
  void begin(std::shared_ptr<MemoryPool> memory, std::uint64_t const* rng_offset) {
    if (recording()) fail<Error>("record", "one recording at a time", "one within another");
    memory_ = std::move(memory);
    rng_offset_ = rng_offset;
    uploads_ = empty_sum;
  }
  /// Ends the recording and returns the memory that it used.
  std::shared_ptr<MemoryPool> end() {
    rng_offset_ = nullptr;
    return std::exchange(memory_, nullptr);
  }
  /// Throws Error while recording. `operation` is what would make the host wait.
  void require_done(std::string_view operation) const {
    if (recording())
      fail<Error>(operation, "work that needs no host while it is recorded", "values that the host asks for",
                  "read them after a replay: what a loss function returns as total and parts is told one "
                  "step late");
  }

  /// Starts or stops a sum over uploads outside of a recording; within a recording uploads are always summed.
  void watch_uploads(bool watched) {
    watched_ = watched;
    uploads_ = empty_sum;
  }
  /// A hash (FNV-1a: Fowler, Noll and Vo) of all bytes that were uploaded while watched or recorded.
  [[nodiscard]] std::uint64_t uploads() const { return uploads_; }
  /// Adds the bytes at `from`, if they are watched or recorded.
  void note_upload(void const* from, std::size_t bytes) {
    if (!watched_ && !recording()) return;
    auto const* const at = static_cast<unsigned char const*>(from);
    for (std::size_t i = 0; i < bytes; ++i) uploads_ = (uploads_ ^ at[i]) * 0x100000001B3U;
  }

 private:
  static constexpr std::uint64_t empty_sum = 0xCBF29CE484222325U;

  std::shared_ptr<MemoryPool> memory_;
  std::uint64_t const* rng_offset_ = nullptr;
  std::uint64_t uploads_ = empty_sum;
  bool watched_ = false;
};

}  // namespace diffsiam::backend
