#include <cstring>
#include <thread>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/core/memory_pool.hpp>

namespace diffsiam::test {

TEST_CASE("Blocks are aligned, large enough and an eighth too large at the most") {
  MemoryPool pool;
  for (std::size_t bytes = 1; bytes < 100000; bytes += bytes / 7 + 1) {
    std::size_t const before = pool.live_bytes();
    void* const block = pool.allocate(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % MemoryPool::alignment == 0);
    std::memset(block, 0xA5, bytes);
    std::size_t const size = pool.live_bytes() - before;
    CHECK(size >= bytes);
    CHECK(size <= std::max<std::size_t>(64, bytes + bytes / 8 + 64));
    pool.release(block, bytes);
    CHECK(pool.live_bytes() == before);
  }
}

TEST_CASE("A released block is handed out again, and nothing is taken from the system for it") {
  MemoryPool pool;
  void* const first = pool.allocate(1000);
  std::size_t const reserved = pool.reserved_bytes();
  pool.release(first, 1000);
  void* const second = pool.allocate(999);
  CHECK(second == first);
  CHECK(pool.reserved_bytes() == reserved);
  pool.release(second, 999);
  pool.trim();
  CHECK(pool.reserved_bytes() == 0);
}

TEST_CASE("The peak is the greatest number of live bytes since it was reset") {
  MemoryPool pool;
  void* const a = pool.allocate(4096);
  void* const b = pool.allocate(4096);
  pool.release(b, 4096);
  CHECK(pool.live_bytes() == 4096);
  CHECK(pool.peak_bytes() == 8192);
  pool.reset_peak();
  CHECK(pool.peak_bytes() == 4096);
  pool.release(a, 4096);
  CHECK(pool.live_bytes() == 0);
}

TEST_CASE("A pool that only counts takes nothing from the system") {
  MemoryPool pool{MemoryPool::Backing::counted_only};
  void* const block = pool.allocate(std::size_t{1} << 40);
  CHECK(block != nullptr);
  CHECK(pool.peak_bytes() == std::size_t{1} << 40);
  CHECK(pool.reserved_bytes() == 0);
  pool.release(block, std::size_t{1} << 40);
  CHECK(pool.live_bytes() == 0);
}

TEST_CASE("What no machine has is refused, not answered with a wrong block") {
  MemoryPool pool;
  CHECK_THROWS_AS((void)pool.allocate(std::size_t{1} << 55), std::bad_alloc);
  CHECK_THROWS_AS((void)pool.allocate(~std::size_t{0} / 2), std::bad_alloc);
  CHECK(pool.live_bytes() == 0);
}

TEST_CASE("Shared blocks return with their last handle, though the pool was let go before") {
  auto pool = std::make_shared<MemoryPool>();
  MemoryPool* const watched = pool.get();
  auto block = allocate_shared_block(pool, 100);
  auto const other = block;
  pool.reset();
  block.reset();
  CHECK(watched->live_bytes() > 0);
}

TEST_CASE("Threads may share a pool") {
  MemoryPool pool;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 2000; ++i) {
        std::size_t const bytes = static_cast<std::size_t>(64 + (i * 37 + t) % 3000);
        void* const block = pool.allocate(bytes);
        std::memset(block, t, bytes);
        pool.release(block, bytes);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(pool.live_bytes() == 0);
}

}  // namespace diffsiam::test
