// The heap of a test program, counted, and told to fail: heap.cpp replaces operator new. What C libraries
// take by malloc is not seen.
#pragma once

#include <cstddef>
#include <cstdint>

namespace diffsiam::test::heap {

/// Bytes now held, and the most at once since reset_peak().
[[nodiscard]] std::size_t live();
[[nodiscard]] std::size_t peak();
void reset_peak();

enum class Failure { once, from_then_on };

/// While it lives, the call number `after` (0: the first) throws std::bad_alloc, or every call from there on;
/// in all threads. Only calls for `least` bytes and more count. One at a time.
class Failing {
 public:
  explicit Failing(std::uint64_t after, Failure failure = Failure::once, std::size_t least = 0);
  Failing(Failing const&) = delete;
  Failing& operator=(Failing const&) = delete;
  ~Failing();

  /// Whether a call failed.
  [[nodiscard]] bool happened() const;
};

}  // namespace diffsiam::test::heap
