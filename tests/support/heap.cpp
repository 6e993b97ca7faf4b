#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

#include <malloc.h>
#include <tests/support/heap.hpp>

namespace diffsiam::test::heap {

namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
constinit std::atomic<std::size_t> live_bytes{0}, peak_bytes{0};
constinit std::atomic<std::uint64_t> calls{0}, failing_call{never};
constinit std::atomic<std::size_t> least_bytes{0};
constinit std::atomic<bool> failing_on{false}, failed{false};

/// Counts a call; false where it is told to fail.
bool admit(std::size_t bytes) noexcept {
  std::uint64_t const bad = failing_call.load(std::memory_order_relaxed);
  if (bad == never || bytes < least_bytes.load(std::memory_order_relaxed)) return true;
  std::uint64_t const call = calls.fetch_add(1, std::memory_order_relaxed);
  if (call != bad && !(call > bad && failing_on.load(std::memory_order_relaxed))) return true;
  failed.store(true, std::memory_order_relaxed);
  return false;
}

void* counted(void* memory) noexcept {
  if (memory == nullptr) return nullptr;
  std::size_t const bytes = ::malloc_usable_size(memory);
  std::size_t const now = live_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::size_t before = peak_bytes.load(std::memory_order_relaxed);
  while (now > before && !peak_bytes.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
  }
  return memory;
}

void* take(std::size_t bytes) noexcept {
  return admit(bytes) ? counted(std::malloc(bytes == 0 ? 1 : bytes)) : nullptr;
}
void* take(std::size_t bytes, std::align_val_t alignment) noexcept {
  void* memory = nullptr;
  if (!admit(bytes) ||
      ::posix_memalign(&memory, static_cast<std::size_t>(alignment), bytes == 0 ? 1 : bytes) != 0)
    return nullptr;
  return counted(memory);
}
void give_back(void* memory) noexcept {
  if (memory != nullptr) live_bytes.fetch_sub(::malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}
void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

std::size_t live() {
  return live_bytes;
}
std::size_t peak() {
  return peak_bytes;
}
void reset_peak() {
  peak_bytes.store(live_bytes);
}

Failing::Failing(std::uint64_t after, Failure failure, std::size_t least) {
  failed = false;
  calls = 0;
  least_bytes = least;
  failing_on = failure == Failure::from_then_on;
  failing_call = after;
}
Failing::~Failing() {
  failing_call = never;
}
bool Failing::happened() const {
  return failed;
}

}  // namespace diffsiam::test::heap

using namespace diffsiam::test::heap;

void* operator new(std::size_t bytes) {
  return or_throw(take(bytes));
}
void* operator new[](std::size_t bytes) {
  return or_throw(take(bytes));
}
void* operator new(std::size_t bytes, std::nothrow_t const&) noexcept {
  return take(bytes);
}
void* operator new[](std::size_t bytes, std::nothrow_t const&) noexcept {
  return take(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return or_throw(take(bytes, alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return or_throw(take(bytes, alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, std::nothrow_t const&) noexcept {
  return take(bytes, alignment);
}
void* operator new[](std::size_t bytes, std::align_val_t alignment, std::nothrow_t const&) noexcept {
  return take(bytes, alignment);
}
void operator delete(void* memory) noexcept {
  give_back(memory);
}
void operator delete[](void* memory) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  give_back(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  give_back(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::nothrow_t const&) noexcept {
  give_back(memory);
}
void operator delete[](void* memory, std::nothrow_t const&) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::align_val_t, std::nothrow_t const&) noexcept {
  give_back(memory);
}
void operator delete[](void* memory, std::align_val_t, std::nothrow_t const&) noexcept {
  give_back(memory);
}
