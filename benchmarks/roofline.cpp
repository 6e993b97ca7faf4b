// What this machine can do at most: multiply-adds of registers in float32 and in bfloat16, and a copy of
// memory that no cache holds. One JSON line, to be read beside those of the other programs.
//
//   build/bench/benchmarks/roofline --threads 2

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <diffsiam/backend/cpu.hpp>

#include <experiments/support/options.hpp>
#include <experiments/support/program.hpp>

namespace {

namespace ds = diffsiam;
using ds::Index;
using Clock = std::chrono::steady_clock;

/// The best of some runs: a peak is what was reached, not what is usual.
template <class F>
double least_seconds(F const& work) {
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
double peak_flops(ds::ThreadPool& threads) {
  using namespace ds::backend::cpu;
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
double copy_bytes(ds::ThreadPool& threads) {
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

}  // namespace

int main(int argc, char** argv) {
  int count = 2;
  CLI::App app{"What this machine can do at most. Prints one JSON line.", "roofline"};
  example::add_threads(app, count);
  return example::run_program(app, argc, argv, [&] {
    ds::ThreadPool threads{count};
    nlohmann::ordered_json const record{{"program", "roofline"},
                                        {"threads", threads.threads()},
                                        {"float32_gflops", peak_flops<float>(threads) / 1e9},
                                        {"bf16_gflops", peak_flops<ds::BFloat16>(threads) / 1e9},
                                        {"copy_gbytes_per_second", copy_bytes(threads) / 1e9}};
    std::printf("%s\n", record.dump().c_str());
  });
}
