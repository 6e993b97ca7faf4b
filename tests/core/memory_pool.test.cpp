#include <array>
#include <cstdint>
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
    MemoryPool::Block* const block = pool.allocate(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(block->data()) % MemorySource::host().alignment == 0);
    std::memset(block->data(), 0xA5, bytes);
    std::size_t const size = pool.live_bytes() - before;
    CHECK(size >= bytes);
    CHECK(size <= bytes + 63);
    pool.release(block);
    CHECK(pool.live_bytes() == before);
  }
}

TEST_CASE("Blocks are aligned as their source is, to 256 on devices") {
  MemorySource source = MemorySource::none();
  source.alignment = 256;
  MemoryPool pool{source};
  for (std::size_t bytes = 1; bytes < 10'000'000; bytes = 3 * bytes + 1) {
    auto const address = reinterpret_cast<std::uintptr_t>(pool.allocate(bytes)->data());
    CHECK(address != 0);
    CHECK(address % 256 == 0);
  }
  CHECK(pool.live_bytes() % 256 == 0);
}

TEST_CASE("A released block is handed out again, and nothing is taken from the system for it") {
  MemoryPool pool;
  auto* const first = pool.allocate(1000);
  void* const place = first->data();
  std::size_t const reserved = pool.reserved_bytes();
  pool.release(first);
  auto* const second = pool.allocate(999);
  CHECK(second->data() == place);
  CHECK(pool.reserved_bytes() == reserved);
  pool.release(second);
  pool.trim();
  CHECK(pool.reserved_bytes() == 0);
}

TEST_CASE("Released neighbours become one block again, whatever the order") {
  constexpr std::size_t kilobyte = 1024, count = 256;
  for (std::size_t const stride : {1U, 3U, 255U}) {
    MemoryPool pool;
    std::vector<MemoryPool::Block*> blocks;
    for (std::size_t i = 0; i < count; ++i) blocks.push_back(pool.allocate(kilobyte));
    std::size_t const reserved = pool.reserved_bytes();
    for (std::size_t i = 0; i < count; ++i) pool.release(blocks[i * stride % count]);
    CHECK(pool.live_bytes() == 0);
    auto* const whole = pool.allocate(count * kilobyte);
    CHECK(pool.reserved_bytes() == reserved);
    pool.release(whole);
    pool.trim();
    CHECK(pool.reserved_bytes() == 0);
  }
}

TEST_CASE("Blocks of a random history never overlap and keep what is written to them") {
  MemoryPool pool;
  struct Held {
    MemoryPool::Block* block;
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
      auto* const block = pool.allocate(bytes);
      std::memset(block->data(), mark, bytes);
      held.push_back({block, static_cast<unsigned char*>(block->data()), bytes, mark});
    } else if (!held.empty()) {
      std::swap(held[draw(held.size())], held.back());
      Held const last = held.back();
      held.pop_back();
      bool intact = true;
      for (std::size_t j = 0; j < last.bytes; ++j) intact = intact && last.data[j] == last.mark;
      REQUIRE(intact);
      pool.release(last.block);
    }
  }
  for (Held const& each : held) pool.release(each.block);
  CHECK(pool.live_bytes() == 0);
  pool.trim();
  CHECK(pool.reserved_bytes() == 0);
}

TEST_CASE("The peak is the greatest number of live bytes since it was reset") {
  MemoryPool pool;
  auto* const a = pool.allocate(4096);
  auto* const b = pool.allocate(4096);
  pool.release(b);
  CHECK(pool.live_bytes() == 4096);
  CHECK(pool.peak_bytes() == 8192);
  pool.reset_peak();
  CHECK(pool.peak_bytes() == 4096);
  pool.release(a);
  CHECK(pool.live_bytes() == 0);
}

TEST_CASE("What was touched reaches to the end of the farthest block, and stays after its release") {
  MemoryPool pool;
  constexpr std::size_t megabyte = 1 << 20;
  auto* const a = pool.allocate(megabyte);
  auto* const b = pool.allocate(megabyte);
  pool.release(a);
  auto* const c = pool.allocate(2 * megabyte);  // does not fit where `a` was
  CHECK(pool.peak_bytes() == 3 * megabyte);
  CHECK(pool.touched_bytes() == 4 * megabyte);
  pool.release(b);
  pool.release(c);
  CHECK(pool.touched_bytes() == 4 * megabyte);
  pool.trim();
  CHECK(pool.touched_bytes() == 0);
}

namespace {

/// Segments that lie one below the other, the oldest highest. They are never reused.
MemorySource descending() {
  alignas(64) static std::byte memory[std::size_t{1} << 28];  // its pages are provided when they are touched
  static std::size_t left = sizeof memory;
  return {[](std::size_t bytes) noexcept -> void* {
            std::size_t const aligned = (bytes + 63) / 64 * 64;
            return aligned > left ? nullptr : &memory[left -= aligned];
          },
          [](void*) noexcept {}};
}

}  // namespace

TEST_CASE("Blocks are placed alike whether segments rise, fall or do not exist") {
  MemoryPool counted{MemorySource::none()}, rising, falling{descending()};
  auto* const huge = counted.allocate(std::size_t{1} << 40);
  CHECK(huge->data() != nullptr);
  CHECK(counted.peak_bytes() == std::size_t{1} << 40);
  counted.release(huge);
  counted.trim();
  counted.reset_peak();
  std::array<MemoryPool*, 3> const pools{&counted, &rising, &falling};
  std::vector<std::array<MemoryPool::Block*, 3>> held;
  auto const release = [&](std::array<MemoryPool::Block*, 3> const& blocks) {
    for (std::size_t p = 0; p < 3; ++p) pools[p]->release(blocks[p]);
  };
  for (std::size_t i = 0; i < 2000; ++i) {
    // Sizes recur, so that there are free blocks of one size in several segments.
    std::size_t const bytes = 1 + i * 7919 % 3 * 700000 + i * 104729 % 5 * 1000;
    if (i % 3 != 2) {
      held.push_back({counted.allocate(bytes), rising.allocate(bytes), falling.allocate(bytes)});
    } else {
      std::swap(held[i * 31 % held.size()], held.back());
      release(held.back());
      held.pop_back();
    }
    if (held.size() > 30) {
      release(held.front());
      held.erase(held.begin());
    }
    REQUIRE(rising.touched_bytes() == counted.touched_bytes());
    REQUIRE(falling.touched_bytes() == counted.touched_bytes());
  }
  CHECK(rising.live_bytes() == counted.live_bytes());
  CHECK(rising.reserved_bytes() == counted.reserved_bytes());
  for (auto const& blocks : held) release(blocks);
}

TEST_CASE("A pool knows its own memory, large and small, until it gives it back") {
  MemoryPool pool, other;
  int const on_the_host = 0;
  for (std::size_t const bytes : {std::size_t{100}, std::size_t{1} << 23}) {
    auto* const block = pool.allocate(bytes);
    auto const* const first = static_cast<char const*>(block->data());
    CHECK(pool.holds(first));
    CHECK(pool.holds(first + bytes - 1));
    CHECK_FALSE(other.holds(first));
    pool.release(block);
    CHECK(pool.holds(first));
    pool.trim();
    CHECK_FALSE(pool.holds(first));
  }
  CHECK_FALSE(pool.holds(&on_the_host));
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
        auto* const block = pool.allocate(bytes);
        std::memset(block->data(), t, bytes);
        pool.release(block);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(pool.live_bytes() == 0);
}

}  // namespace diffsiam::test
