// From the third step at a shape seen before nothing large is taken from the heap, anywhere in the process:
// malloc and operator new are replaced here, and count.
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include <tests/allocation/steps.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/compiled/cpu_bfloat16.hpp>

using namespace diffsiam::test;

namespace {

constexpr std::size_t large = 1024;

void note(std::size_t size) {
  if (!counting.load(std::memory_order_relaxed) || size <= large) return;
  large_allocations.fetch_add(1);
  if (size > largest.load()) largest.store(size);
}

}  // namespace

// glibc's own names, so that nothing has to be looked up while the first allocations are made.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  note(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  note(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  note(size);
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  note(size);
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? 12 : 0;
}
}

TEST_CASE("The counter counts what it should") {
  counting = true;
  large_allocations = 0;
  auto const few = std::make_unique<std::vector<char>>(1000);
  CHECK(large_allocations == 0);
  auto const many = std::make_unique<std::vector<char>>(2000);
  void* const raw = std::malloc(5000);
  void* const aligned = ::operator new(3000, std::align_val_t{64});
  counting = false;
  CHECK(large_allocations == 3);
  CHECK(largest == 5000);
  std::free(raw);
  ::operator delete(aligned, std::align_val_t{64});
}

TEST_CASE("From the third step on nothing above 1 KiB is allocated, the loader's threads included") {
  check_steps<diffsiam::backend::Cpu<float>>();
}
TEST_CASE("So it is where activations are bfloat16") {
  check_steps<diffsiam::backend::Cpu<float, diffsiam::BFloat16>>();
}
