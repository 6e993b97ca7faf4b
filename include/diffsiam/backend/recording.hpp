// RecordingState: what contexts that can record share. While work is recorded it is not done: whoever wants
// its values now is told so, and its memory stays its own, for every replay writes there again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/memory_pool.hpp>

namespace diffsiam::backend {

class RecordingState {
 public:
  [[nodiscard]] bool recording() const { return memory_ != nullptr; }
  /// Where work that is recorded finds its memory.
  [[nodiscard]] std::shared_ptr<MemoryPool> const& memory() const& { return memory_; }
  [[nodiscard]] std::shared_ptr<MemoryPool> memory() const&& { return memory_; }
  /// Where random kernels read how many steps after the recorded one they are; null unless recording.
  [[nodiscard]] std::uint64_t const* rng_offset() const& { return rng_offset_; }
  void rng_offset() const&& = delete;

  /// Throws Error where a recording has begun.
  void begin(std::shared_ptr<MemoryPool> memory, std::uint64_t const* rng_offset) {
    if (recording()) fail<Error>("record", "one recording at a time", "one within another");
    memory_ = std::move(memory);
    rng_offset_ = rng_offset;
    uploads_ = empty_sum;
  }
  /// The memory of what was recorded.
  std::shared_ptr<MemoryPool> end() {
    rng_offset_ = nullptr;
    return std::exchange(memory_, nullptr);
  }
  /// Throws Error while recording, for `operation`, which makes the host wait.
  void require_done(std::string_view operation) const {
    if (recording())
      fail<Error>(operation, "work that needs no host while it is recorded", "values that the host asks for",
                  "read them after a replay: what a loss function returns as total and parts is told one "
                  "step late");
  }

  /// Counts what is uploaded from now on; recordings count by themselves.
  void watch_uploads(bool watched) {
    watched_ = watched;
    uploads_ = empty_sum;
  }
  /// A sum over all bytes that were uploaded while watched or recorded (Fowler, Noll and Vo, 1a).
  [[nodiscard]] std::uint64_t uploads() const { return uploads_; }
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
