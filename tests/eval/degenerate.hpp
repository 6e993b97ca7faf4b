// Features at the edge of what measures can take: too few, equal, dependent, constant, huge and tiny ones.
// Labels and factors go with them, so that every measure can be shown every set.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <tests/eval/codes.hpp>

#include <diffsiam/eval/factors.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::test {

/// Two factors of two levels each, every combination equally often; the label is the first of them.
struct Degenerate {
  std::string name;
  Index count, dims;
  std::vector<float> values{};
  std::vector<int> factors{}, labels{};

  Degenerate(std::string what, Index samples, std::function<double(Index, Index)> const& value,
             Index width = 6)
      : name(std::move(what)), count(samples), dims(width) {
    for (Index i = 0; i < count; ++i) {
      for (Index j = 0; j < dims; ++j) values.push_back(static_cast<float>(value(i, j)));
      labels.push_back(static_cast<int>(i % 2));
      factors.insert(factors.end(), {static_cast<int>(i % 2), static_cast<int>(i / 2 % 2)});
    }
  }
  [[nodiscard]] eval::Features features() const { return {values, count, dims}; }
  [[nodiscard]] eval::Labelled labelled() const { return {features(), labels}; }
  [[nodiscard]] eval::Factored factored() const { return {features(), {factors, count, 2}}; }
};

/// Something ordinary of sample i and dim j: dims 0 and 1 tell the factors, the others are noise.
[[nodiscard]] inline double ordinary(Index i, Index j) {
  double const level = j == 0 ? static_cast<double>(i % 2) : j == 1 ? static_cast<double>(i / 2 % 2) : 0;
  return 2 * level + static_cast<double>(noise(i, j, 11));
}

[[nodiscard]] inline std::vector<Degenerate> degenerate_sets() {
  auto const scaled = [](double factor) { return [=](Index i, Index j) { return factor * ordinary(i, j); }; };
  return {
      {"ordinary", 40, ordinary},
      {"one sample", 1, ordinary},
      {"two samples", 2, ordinary},
      {"fewer samples than dims", 5, ordinary},
      {"zeros", 40, [](Index, Index) { return 0.0; }},
      {"all rows equal", 40, [](Index, Index j) { return 0.1 * static_cast<double>(j + 1); }},
      {"two rows repeated", 40, [](Index i, Index j) { return ordinary(i % 2, j); }},
      {"equal columns", 40, [](Index i, Index j) { return ordinary(i, j / 2); }},
      {"columns that are sums", 40,
       [](Index i, Index j) {
         return j < 3 ? ordinary(i, j) : ordinary(i, j - 3) + 0.3 * ordinary(i, (j - 2) % 3);
       }},
      {"a constant column", 40, [](Index i, Index j) { return j == 0 ? 0.1 : ordinary(i, j); }},
      {"constant but for rounding", 40,
       [](Index i, Index) { return 1000 + 6e-5 * static_cast<double>(i % 3); }},
      {"far from the origin", 40, [](Index i, Index j) { return 1e4 + ordinary(i, j); }},
      {"columns of unlike size", 40,
       [](Index i, Index j) { return ordinary(i, j) * std::pow(10.0, 3 * static_cast<double>(j) - 8); }},
      {"huge", 40, scaled(1e20)},
      {"near the greatest float", 40, scaled(5e37)},
      {"tiny", 40, scaled(1e-20)},
      {"near the least float", 40, scaled(1e-40)},
  };
}

}  // namespace diffsiam::test
