// What the compiler calls at each access to memory in code that is compiled with -fsanitize=kernel-address:
// the accesses of a kernel to memory of the device are counted. For programs that count, and no others.
#include <cstddef>
#include <cstdint>

#include "device.hpp"
#include "tally.hpp"

namespace {

void touch(std::uintptr_t address, std::size_t bytes, bool writes) {
  using namespace diffsiam::standin;
  Device& device = diffsiam::standin::device();
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  if (device.tally == nullptr || !device.tally->in_block() ||
      !device.memory.contains(reinterpret_cast<void*>(address)))
    return;
  device.tally->touch(address, bytes, writes);
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the compiler's.
extern "C" {
void __asan_load1_noabort(std::uintptr_t at) {
  touch(at, 1, false);
}
void __asan_load2_noabort(std::uintptr_t at) {
  touch(at, 2, false);
}
void __asan_load4_noabort(std::uintptr_t at) {
  touch(at, 4, false);
}
void __asan_load8_noabort(std::uintptr_t at) {
  touch(at, 8, false);
}
void __asan_load16_noabort(std::uintptr_t at) {
  touch(at, 16, false);
}
void __asan_loadN_noabort(std::uintptr_t at, std::size_t bytes) {
  touch(at, bytes, false);
}
void __asan_store1_noabort(std::uintptr_t at) {
  touch(at, 1, true);
}
void __asan_store2_noabort(std::uintptr_t at) {
  touch(at, 2, true);
}
void __asan_store4_noabort(std::uintptr_t at) {
  touch(at, 4, true);
}
void __asan_store8_noabort(std::uintptr_t at) {
  touch(at, 8, true);
}
void __asan_store16_noabort(std::uintptr_t at) {
  touch(at, 16, true);
}
void __asan_storeN_noabort(std::uintptr_t at, std::size_t bytes) {
  touch(at, bytes, true);
}
void __asan_handle_no_return() {}
void __asan_before_dynamic_init(char const*) {}
void __asan_after_dynamic_init() {}
}
// NOLINTEND(bugprone-reserved-identifier)
