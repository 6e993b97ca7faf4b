// Codes whose measures are known: every combination of some levels equally often, and what a function makes
// of it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/factors.hpp>
#include <diffsiam/functional/random.hpp>

namespace diffsiam::test {

/// All combinations of `levels`, `repeats` times: factors are then independent to the last digit.
struct LevelGrid {
  std::vector<int> values;
  std::vector<float> code;
  Index count = 0, dims;
  int factors;

  /// dim(levels of the sample, sample, dim).
  LevelGrid(std::vector<int> const& levels, int repeats, Index width,
            std::function<float(int const*, Index, Index)> const& dim)
      : dims(width), factors(static_cast<int>(levels.size())) {
    int combinations = 1;
    for (int const n : levels) combinations *= n;
    for (int i = 0; i < combinations * repeats; ++i) {
      int rest = i;
      for (int const n : levels) {
        values.push_back(rest % n);
        rest /= n;
      }
    }
    count = combinations * repeats;
    for (Index i = 0; i < count; ++i)
      for (Index j = 0; j < dims; ++j) code.push_back(dim(values.data() + i * factors, i, j));
  }
  [[nodiscard]] eval::Features features() const { return {code, count, dims}; }
  [[nodiscard]] eval::Factored factored() const { return {features(), {values, count, factors}}; }
};

/// A standard normal number, a function of its arguments.
[[nodiscard]] inline float noise(Index i, Index j, std::uint64_t seed = 1) {
  auto const element = static_cast<std::uint64_t>(i * 1000 + j);
  return functional::normals(Rng{.seed = seed, .stream = 78}.words(element))[0];
}

/// Dim j is the level of factor j; further dims are noise.
[[nodiscard]] inline LevelGrid perfect(std::vector<int> const& levels, int repeats, Index dims,
                                       std::uint64_t seed = 1) {
  auto const factors = static_cast<Index>(levels.size());
  return {levels, repeats, dims, [=](int const* level, Index i, Index j) {
            return j < factors ? static_cast<float>(level[j]) : noise(i, j, seed);
          }};
}

/// Two factors of `levels` levels as sum and difference.
[[nodiscard]] inline LevelGrid rotated(int levels, int repeats) {
  return {{levels, levels}, repeats, 2, [](int const* level, Index, Index j) {
            return static_cast<float>(j == 0 ? level[0] + level[1] : level[0] - level[1]);
          }};
}

/// Noise alone.
[[nodiscard]] inline LevelGrid unrelated(std::vector<int> const& levels, int repeats, Index dims,
                                         std::uint64_t seed = 1) {
  return {levels, repeats, dims, [=](int const*, Index i, Index j) { return noise(i, j, seed); }};
}

/// The same value everywhere.
[[nodiscard]] inline LevelGrid constant(std::vector<int> const& levels, int repeats, Index dims) {
  return {levels, repeats, dims, [](int const*, Index, Index) { return 0.7F; }};
}

/// Integers any language repeats: 60 samples of 5 dims, x = ((i + 1)^2 (j + 2) 31 + 17 i j) % 1021 / 1024,
/// and the levels (7 i^2 + 3 i) % 11 % 4.
struct Reference {
  static constexpr Index count = 60, dims = 5;
  std::vector<float> values;
  std::vector<int> levels;

  Reference() {
    for (Index i = 0; i < count; ++i) {
      for (Index j = 0; j < dims; ++j)
        values.push_back(static_cast<float>(((i + 1) * (i + 1) * (j + 2) * 31 + i * 17 * j) % 1021) / 1024);
      levels.push_back(static_cast<int>((i * i * 7 + i * 3) % 11 % 4));
    }
  }
  [[nodiscard]] float& at(Index i, Index j) { return values[static_cast<std::size_t>(i * dims + j)]; }
  [[nodiscard]] eval::Factored factored() const { return {{values, count, dims}, {levels, count, 1}}; }
};

}  // namespace diffsiam::test
