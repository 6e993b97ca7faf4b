// Axis: one axis of a chart. It maps the range of the data to positions between 0 and 1, and has ticks at
// round numbers (1, 2 or 5 times a power of ten).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <diffsiam/io/format_number.hpp>

namespace diffsiam::report {

/// A tick: its value on the axis and its text.
/// `value` is where it stands, and `label` is what is written there.
struct Tick {
  double value;
  std::string label;
};

/// The smallest 1, 2 or 5 times a power of ten that is at least `rough`, which must be positive.
[[nodiscard]] inline double nice_step(double rough) {
  double const power = std::pow(10.0, std::floor(std::log10(rough)));
  for (double const factor : {1.0, 2.0, 5.0})
    if (rough <= factor * power * (1 + 1e-9)) return factor * power;
  return 10 * power;
}

/// The label of a tick, for ticks that are `step` apart on an axis up to `largest`: 0.05, 40, 20k, 1.5M,
/// 2e-05.
[[nodiscard]] inline std::string tick_label(double value, double step, double largest) {
  bool const millions = largest >= 1e6;
  bool const thousands = !millions && largest >= 1e4;
  double const unit = millions ? 1e6 : thousands ? 1e3 : 1.0;
  if (largest >= 1e10 || step / unit < 1e-4) return io::format_number(value);
  int const decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step / unit) + 1e-9)));
  if (unit > 1 && value == 0) return "0";
  return io::format_fixed(value / unit, decimals) + (millions ? "M" : thousands ? "k" : "");
}

/// Multiples of a round step in [low, high], about `count` of them. Empty unless low < high and both are
/// finite.
[[nodiscard]] inline std::vector<Tick> nice_ticks(double low, double high, int count) {
  std::vector<Tick> ticks;
  double const range = high - low;
  if (!(range > 0) || !std::isfinite(range)) return ticks;
  double const step = nice_step(range / std::max(count, 1));
  double const last = std::floor(high / step + 1e-6);
  double const largest = std::max(std::abs(low), std::abs(high));
  for (double index = std::ceil(low / step - 1e-6); index <= last && ticks.size() < 100; ++index)
    ticks.push_back({index * step, tick_label(index * step, step, largest)});
  return ticks;
}

/// Powers of ten in [low, high], about `count` of them. Over less than two decades there are also 2 and 5
/// times these powers; if there are still too few, nice_ticks. 0 < low < high.
[[nodiscard]] inline std::vector<Tick> log_ticks(double low, double high, int count) {
  std::vector<Tick> ticks;
  int const first = static_cast<int>(std::floor(std::log10(low)));
  int const last = static_cast<int>(std::ceil(std::log10(high)));
  int const wanted = std::max(count, 1);
  int const stride = std::max(1, (last - first + wanted - 1) / wanted);
  bool const fine = std::log10(high / low) < 2;
  for (int exponent = first; exponent <= last; exponent += stride) {
    for (double const factor : {1.0, 2.0, 5.0}) {
      double const value = factor * std::pow(10.0, exponent);
      if (factor > 1 && !fine) continue;
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
        ticks.push_back({value, io::format_number(value)});
    }
  }
  return ticks.size() < 2 ? nice_ticks(low, high, count) : ticks;
}

/// A linear or logarithmic axis. First include() all values, then settle().
class Axis {
 public:
  /// An axis without values yet.
  explicit Axis(bool logarithmic) : logarithmic_(logarithmic) {}

  /// Whether a value has a position: it must be finite, and on a logarithmic axis positive.
  [[nodiscard]] bool accepts(double value) const {
    return std::isfinite(value) && std::abs(value) < 1e300 && (!logarithmic_ || value > 0);
  }
  /// Widens the range to hold `value`; what has no position is left out.
  void include(double value) {
    if (!accepts(value)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  /// Fixes the range, and adds the fraction `margin` of it at both ends. A single value gets some space
  /// around it.
  void settle(double margin) {
    if (low_ > high_) {
      low_ = logarithmic_ ? 0.1 : 0;
      high_ = 1;
    }
    if (logarithmic_) {
      double const grow = low_ == high_ ? 2 : std::pow(high_ / low_, margin);
      low_ /= grow;
      high_ *= grow;
    } else {
      // A tiny range at a large value would have no digits to show.
      double const least = std::max(std::abs(low_), std::abs(high_)) * 1e-9;
      double const flat = std::max(std::abs(low_) * 0.1, 1e-12);
      double const grow = high_ - low_ <= least ? flat : (high_ - low_) * margin;
      low_ -= grow;
      high_ += grow;
    }
  }
  /// 0 at the lower end, 1 at the upper end.
  [[nodiscard]] double position(double value) const {
    return logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  }
  /// About `count` ticks, ascending. Call settle() first.
  [[nodiscard]] std::vector<Tick> ticks(int count) const {
    return logarithmic_ ? log_ticks(low_, high_, count) : nice_ticks(low_, high_, count);
  }

 private:
  bool logarithmic_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

}  // namespace diffsiam::report
