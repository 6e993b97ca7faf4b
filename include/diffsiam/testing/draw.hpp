// Random numbers for tests. They are drawn on the host by Philox and are exact in float, so that all backends
// get the same ones.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/functional/random.hpp>

namespace diffsiam::testing {

/// The kind of values in a tensor.
enum class Kind {
  normal,         ///< N(0, 1)
  positive,       ///< in [0.5, 1.5)
  unit,           ///< in [0, 1)
  mask,           ///< 0 or 1
  probabilities,  ///< rows whose sum is 1, up to rounding
  time_steps,     ///< integers in [0, 1000)
  eighths,        ///< N(0, 1) rounded to multiples of 1/8; sums of up to a million are exact in float
};

/// Values for `shape`. They depend only on kind and rng.
[[nodiscard]] inline std::vector<double> draw(Kind kind, Shape const& shape, Rng const& rng) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    double const uniform = static_cast<double>(rng.uniform(i));
    switch (kind) {
      case Kind::normal:
      case Kind::eighths: {
        auto const normal = static_cast<double>(functional::normals(rng.words(i / 4))[i % 4]);
        values[i] = kind == Kind::normal ? normal : std::round(8 * normal) / 8;
        break;
      }
      case Kind::positive:
      case Kind::probabilities:
        values[i] = static_cast<double>(static_cast<float>(0.5 + uniform));
        break;
      case Kind::unit:
        values[i] = uniform;
        break;
      case Kind::mask:
        values[i] = uniform < 0.5 ? 0 : 1;
        break;
      case Kind::time_steps:
        values[i] = static_cast<double>(rng.below(1000, i));
        break;
    }
  }
  if (kind == Kind::probabilities) {
    auto const columns = static_cast<std::size_t>(shape.channels());
    for (std::size_t row = 0; row < values.size(); row += columns) {
      double sum = 0;
      for (std::size_t j = row; j < row + columns; ++j) sum += values[j];
      for (std::size_t j = row; j < row + columns; ++j)
        values[j] = static_cast<double>(static_cast<float>(values[j] / sum));
    }
  }
  return values;
}

/// Values for a weight of that shape, with a scale that keeps activations near 1: N(0, 1 / fan in), or
/// N(0, 1) for vectors.
[[nodiscard]] inline std::vector<double> draw_weight(Shape const& shape, Rng const& rng) {
  std::vector<double> values = draw(Kind::normal, shape, rng);
  if (shape.rank() < 2 || shape.size() == 0) return values;
  Index const fan_in = shape.size() / shape.samples();
  double const scale = 1 / std::sqrt(static_cast<double>(fan_in));
  for (double& value : values) value = static_cast<double>(static_cast<float>(value * scale));
  return values;
}

}  // namespace diffsiam::testing
