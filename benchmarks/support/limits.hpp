// What this machine can do at most: multiply-adds of registers, and a copy of memory that no cache holds.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <vector>

#include <diffsiam/backend/cpu.hpp>

namespace bench {

/// The best of some runs: a peak is what was reached, not what is usual.
template <class F>
[[nodiscard]] double least_seconds(F const& work) {
  using Clock = std::chrono::steady_clock;
  double least = 1e9;
  for (int run = 0; run < 12; ++run) {
    auto const start = Clock::now();
    work();
    least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return least;
}

/// FLOP/s of the library's own tile on operands that stay in the first cache.
template <class E>
[[nodiscard]] double peak_flops(diffsiam::ThreadPool& threads) {
  using namespace diffsiam::backend::cpu;
  using diffsiam::Index;
  constexpr Index depth = 128, repeats = 4000, width = panel_columns<float>;
  constexpr Index group = Summand<float, E>::group;
  Index const pieces = threads.threads();
  double const seconds = least_seconds([&] {
    threads.run(pieces, [&](Index, int) {
      alignas(64) static thread_local std::array<E, tile_rows * depth * group> a;
      alignas(64) static thread_local std::array<E, width * depth * group> b;
      alignas(64) static thread_local std::array<float, tile_rows * width> c;
      Tile<float, E> tile;
      for (Index r = 0; r < tile_rows; ++r)
        tile.a[static_cast<std::size_t>(r)] = a.data() + r * depth * group;
      tile.a_step = group;
      tile.length = depth;
      tile.b = b.data();
      tile.b_pitch = width * group;
      tile.c = c.data();
      tile.c_pitch = tile.columns = width;
      for (Index i = 0; i < repeats; ++i) multiply(tile);
    });
  });
  return 2.0 * static_cast<double>(pieces * repeats * tile_rows * width * depth * group) / seconds;
}

/// Bytes read and written a second.
[[nodiscard]] inline double copy_bytes(diffsiam::ThreadPool& threads) {
  using diffsiam::Index;
  std::size_t const bytes = std::size_t{1} << 28;
  std::vector<char> from(bytes, 1), to(bytes);
  Index const pieces = threads.threads();
  std::size_t const each = bytes / static_cast<std::size_t>(pieces);
  double const seconds = least_seconds([&] {
    threads.run(pieces, [&](Index piece, int) {
      std::copy_n(from.data() + static_cast<std::size_t>(piece) * each, each,
                  to.data() + static_cast<std::size_t>(piece) * each);
    });
  });
  return 2.0 * static_cast<double>(each * static_cast<std::size_t>(pieces)) / seconds;
}

}  // namespace bench
