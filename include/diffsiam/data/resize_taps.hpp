// Filters of resize(), and the weights with which they take a line of pixels to one of another length.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace diffsiam::data {

/// How the pixels of a result are weighted from those of the source, in Pillow's words: box averages,
/// bilinear is a triangle, bicubic is Keys' with a = -1/2, lanczos has three lobes.
enum class Filter { box, bilinear, bicubic, lanczos };

namespace detail {

/// Beyond this distance a filter is 0.
[[nodiscard]] constexpr double filter_support(Filter filter) {
  switch (filter) {
    case Filter::box:
      return 0.5;
    case Filter::bilinear:
      return 1;
    case Filter::bicubic:
      return 2;
    default:
      return 3;
  }
}

[[nodiscard]] inline double filter_value(Filter filter, double x) {
  auto const sinc = [](double at) {
    double const angle = std::numbers::pi * at;
    return at == 0 ? 1 : std::sin(angle) / angle;
  };
  double const distance = std::abs(x);
  switch (filter) {
    case Filter::box:
      return x > -0.5 && x <= 0.5 ? 1 : 0;  // a pixel at the border of two boxes is in one of them
    case Filter::bilinear:
      return std::max(0.0, 1 - distance);
    case Filter::bicubic:
      if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
      return distance < 2 ? -0.5 * (((distance - 5) * distance + 8) * distance - 4) : 0;
    default:
      return distance < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
}

/// Of each position of the result the pixels of the source that it is made from.
struct Taps {
  std::vector<int> first{};      ///< the first of them; never decreases
  std::vector<int> count{};      ///< their number, at least 1
  std::vector<float> weights{};  ///< `most` of each position, their sum 1; zeros behind `count`
  int most = 0;

  [[nodiscard]] float const* of(int position) const& {
    return weights.data() + static_cast<std::size_t>(position) * static_cast<std::size_t>(most);
  }
  float const* of(int) const&& = delete;
  /// The pixels [begin(), end()) of the source are needed.
  [[nodiscard]] int begin() const { return first.front(); }
  [[nodiscard]] int end() const { return first.back() + count.back(); }
};

/// Takes [begin, begin + length) of `source` pixels to `result` pixels. A filter is as wide as a pixel of the
/// larger of both, so that nothing is skipped where a picture becomes smaller. Taps may lie beyond the range,
/// where the source has pixels. Weights are multiples of 2^-22, as Pillow's are.
[[nodiscard]] inline Taps taps_of(Filter filter, int source, double begin, double length, int result) {
  constexpr double unit = 1 << 22;
  double const scale = length / result, stretch = std::max(scale, 1.0);
  double const reach = filter_support(filter) * stretch;
  auto const positions = static_cast<std::size_t>(result);
  Taps taps{.first = std::vector<int>(positions), .count = std::vector<int>(positions)};
  auto const centre = [&](std::size_t i) { return begin + (static_cast<double>(i) + 0.5) * scale; };
  for (std::size_t i = 0; i < positions; ++i) {
    int const first = std::clamp(static_cast<int>(std::floor(centre(i) - reach + 0.5)), 0, source - 1);
    taps.first[i] = first;
    taps.count[i] =
        std::clamp(static_cast<int>(std::floor(centre(i) + reach + 0.5)) - first, 1, source - first);
    taps.most = std::max(taps.most, taps.count[i]);
  }
  taps.weights.resize(positions * static_cast<std::size_t>(taps.most));
  std::vector<double> exact(static_cast<std::size_t>(taps.most));
  for (std::size_t i = 0; i < positions; ++i) {
    auto const count = static_cast<std::size_t>(taps.count[i]);
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
      double const at = static_cast<double>(taps.first[i]) + static_cast<double>(k) + 0.5;
      exact[k] = filter_value(filter, (at - centre(i)) / stretch);
      sum += exact[k];
    }
    if (sum == 0) exact[0] = sum = 1;  // between two pixels, by rounding
    float* const weights = taps.weights.data() + i * static_cast<std::size_t>(taps.most);
    for (std::size_t k = 0; k < count; ++k)
      weights[k] = static_cast<float>(std::round(exact[k] / sum * unit) / unit);
  }
  return taps;
}

}  // namespace detail
}  // namespace diffsiam::data
