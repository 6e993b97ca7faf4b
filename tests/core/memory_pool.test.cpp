#include <cstring>
#include <thread>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/core/memory_pool.hpp>

namespace diffsiam::test {

TEST_CASE("Blocks are aligned, large enough and less than 64 bytes too large") {
  MemoryPool pool;
  for (std::size_t bytes = 1; bytes < 100000; bytes += bytes / 7 + 1) {
    std::size_t const before = pool.live_bytes();
    void* const block = pool.allocate(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % MemoryPool::alignment == 0);
    std::memset(block, 0xA5, bytes);
    std::size_t const size = pool.live_bytes() - before;
    CHECK(size >= bytes);
    CHECK(size <= bytes + 63);
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

TEST_CASE("Released neighbours become one block again, whatever the order") {
  constexpr std::size_t kilobyte = 1024, count = 256;
  for (std::size_t const stride : {1, 3, 255}) {
    MemoryPool pool;
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < count; ++i) blocks.push_back(pool.allocate(kilobyte));
    std::size_t const reserved = pool.reserved_bytes();
    for (std::size_t i = 0; i < count; ++i) pool.release(blocks[i * stride % count], kilobyte);
    CHECK(pool.live_bytes() == 0);
    void* const whole = pool.allocate(count * kilobyte);
    CHECK(pool.reserved_bytes() == reserved);
    pool.release(whole, count * kilobyte);
    pool.trim();
    CHECK(pool.reserved_bytes() == 0);
  }
}

TEST_CASE("Blocks of a random history never overlap and keep what is written to them") {
  MemoryPool pool;
  struct Held {
    unsigned char* data;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<Held> held;
  std::uint64_t state = 1;
  auto const draw = [&](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % below;
  };
  for (int i = 0; i < 20000; ++i) {
    if (held.size() < 40 && draw(2) == 0) {
      std::size_t const bytes = 1 + draw(draw(2) == 0 ? 200 : 50000);
      auto const mark = static_cast<unsigned char>(draw(256));
      auto* const data = static_cast<unsigned char*>(pool.allocate(bytes));
      std::memset(data, mark, bytes);
      held.push_back({data, bytes, mark});
    } else if (!held.empty()) {
      std::swap(held[draw(held.size())], held.back());
      Held const last = held.back();
      held.pop_back();
      bool intact = true;
      for (std::size_t j = 0; j < last.bytes; ++j) intact = intact && last.data[j] == last.mark;
      REQUIRE(intact);
      pool.release(last.data, last.bytes);
    }
  }
  for (Held const& each : held) pool.release(each.data, each.bytes);
  CHECK(pool.live_bytes() == 0);
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
