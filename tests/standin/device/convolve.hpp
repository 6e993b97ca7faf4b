// Convolutions of the stand-in, by plain loops over any strides.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "numbers.hpp"

namespace diffsiam::standin {

/// A tensor of cuDNN: extents and strides of (n, c, h, w).
struct Placed {
  std::int64_t name;
  std::uint32_t type;
  std::int64_t alignment;
  std::array<std::int64_t, 4> extent, stride;
  bool is_virtual = false;  ///< never in memory
  void* data = nullptr;

  [[nodiscard]] std::size_t bytes() const {
    std::int64_t last = 0;
    for (std::size_t i = 0; i < 4; ++i) last += (extent[i] - 1) * stride[i];
    return static_cast<std::size_t>(last + 1) * bytes_of(type);
  }
};

enum class Direction { forward, data, filter };
/// How an engine treats its operands; `spoils` marks one that the library must not choose.
enum class Rounding { none, tf32, spoils };

/// One convolution or one of its gradients. w is (out, in, kernel, kernel).
struct Convolved {
  Direction direction;
  Placed x, w, y;
  std::int64_t padding, stride;
  std::optional<Placed> added{};  ///< to the output, by a second operation of the graph

  [[nodiscard]] Placed const& output() const {
    return direction == Direction::forward ? y : direction == Direction::data ? x : w;
  }
  [[nodiscard]] Placed& output() {
    return direction == Direction::forward ? y : direction == Direction::data ? x : w;
  }
  [[nodiscard]] std::array<Placed const*, 2> inputs() const {
    if (direction == Direction::forward) return {&x, &w};
    return direction == Direction::data ? std::array{&y, &w} : std::array{&x, &y};
  }
  /// Empty, or why the extents do not fit.
  [[nodiscard]] std::string misfit() const {
    auto const out = [&](std::size_t axis) {
      return (x.extent[axis] + 2 * padding - w.extent[axis]) / stride + 1;
    };
    if (x.extent[0] != y.extent[0]) return "an image for each output";
    if (x.extent[1] != w.extent[1] || y.extent[1] != w.extent[0])
      return "channels that differ from the weights";
    if (y.extent[2] != out(2) || y.extent[3] != out(3)) return "an output of another size";
    return {};
  }
};

/// All values of a tensor as float32, channels last.
[[nodiscard]] inline std::vector<float> channels_last(Placed const& t, Rounding rounding) {
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(t.extent[0] * t.extent[1] * t.extent[2] * t.extent[3]));
  for (std::int64_t n = 0; n < t.extent[0]; ++n)
    for (std::int64_t h = 0; h < t.extent[2]; ++h)
      for (std::int64_t w = 0; w < t.extent[3]; ++w)
        for (std::int64_t c = 0; c < t.extent[1]; ++c) {
          float const value = number_at(
              t.data, t.type, n * t.stride[0] + c * t.stride[1] + h * t.stride[2] + w * t.stride[3]);
          result.push_back(rounding == Rounding::tf32 && t.type == CUDA_R_32F ? rounded_to_tf32(value)
                                                                              : value);
        }
  return result;
}
inline void put_channels_last(Placed const& t, std::vector<float> const& values) {
  auto next = values.begin();
  for (std::int64_t n = 0; n < t.extent[0]; ++n)
    for (std::int64_t h = 0; h < t.extent[2]; ++h)
      for (std::int64_t w = 0; w < t.extent[3]; ++w)
        for (std::int64_t c = 0; c < t.extent[1]; ++c)
          put_number(t.data, t.type, n * t.stride[0] + c * t.stride[1] + h * t.stride[2] + w * t.stride[3],
                     *next++);
}

/// Calls f(offset in x, offset in y, tap) for each pair of pixels that a tap joins.
template <class F>
void for_each_tap(Convolved const& g, F const& f) {
  std::int64_t const in = g.x.extent[1], out = g.y.extent[1], kernel_h = g.w.extent[2],
                     kernel_w = g.w.extent[3];
  for (std::int64_t n = 0; n < g.y.extent[0]; ++n)
    for (std::int64_t oh = 0; oh < g.y.extent[2]; ++oh)
      for (std::int64_t ow = 0; ow < g.y.extent[3]; ++ow)
        for (std::int64_t kh = 0; kh < kernel_h; ++kh)
          for (std::int64_t kw = 0; kw < kernel_w; ++kw) {
            std::int64_t const h = oh * g.stride + kh - g.padding, w = ow * g.stride + kw - g.padding;
            if (h < 0 || h >= g.x.extent[2] || w < 0 || w >= g.x.extent[3]) continue;
            f(((n * g.x.extent[2] + h) * g.x.extent[3] + w) * in,
              ((n * g.y.extent[2] + oh) * g.y.extent[3] + ow) * out, kh * kernel_w + kw);
          }
}

inline void convolve(Convolved const& g, Rounding rounding) {
  std::int64_t const in = g.x.extent[1], out = g.y.extent[1], taps = g.w.extent[2] * g.w.extent[3];
  Placed const& output = g.output();
  std::vector<float> result(
      static_cast<std::size_t>(output.extent[0] * output.extent[1] * output.extent[2] * output.extent[3]));
  if (rounding == Rounding::spoils) {
    std::fill(result.begin(), result.end(), std::bit_cast<float>(0x7FC00000U));
    return put_channels_last(output, result);
  }
  // Weights are (out, taps, in) in memory; forward and filter want `out` innermost, so that loops run along
  // it.
  auto const turned = [&](std::vector<float> const& w) {
    std::vector<float> to(w.size());
    for (std::int64_t o = 0; o < out; ++o)
      for (std::int64_t t = 0; t < taps; ++t)
        for (std::int64_t i = 0; i < in; ++i)
          to[static_cast<std::size_t>((t * in + i) * out + o)] =
              w[static_cast<std::size_t>((o * taps + t) * in + i)];
    return to;
  };
  if (g.direction == Direction::forward) {
    auto const x = channels_last(g.x, rounding), w = turned(channels_last(g.w, rounding));
    for_each_tap(g, [&](std::int64_t at_x, std::int64_t at_y, std::int64_t tap) {
      float* const y = result.data() + at_y;
      for (std::int64_t i = 0; i < in; ++i) {
        float const factor = x[static_cast<std::size_t>(at_x + i)];
        float const* const row = w.data() + (tap * in + i) * out;
        for (std::int64_t o = 0; o < out; ++o) y[o] += factor * row[o];
      }
    });
  } else if (g.direction == Direction::data) {
    auto const dy = channels_last(g.y, rounding), w = channels_last(g.w, rounding);
    for_each_tap(g, [&](std::int64_t at_x, std::int64_t at_y, std::int64_t tap) {
      float* const dx = result.data() + at_x;
      for (std::int64_t o = 0; o < out; ++o) {
        float const factor = dy[static_cast<std::size_t>(at_y + o)];
        float const* const row = w.data() + (o * taps + tap) * in;
        for (std::int64_t i = 0; i < in; ++i) dx[i] += factor * row[i];
      }
    });
  } else {
    auto const x = channels_last(g.x, rounding), dy = channels_last(g.y, rounding);
    std::vector<float> dw(result.size());  // (taps, in, out)
    for_each_tap(g, [&](std::int64_t at_x, std::int64_t at_y, std::int64_t tap) {
      float const* const from = dy.data() + at_y;
      for (std::int64_t i = 0; i < in; ++i) {
        float const factor = x[static_cast<std::size_t>(at_x + i)];
        float* const row = dw.data() + (tap * in + i) * out;
        for (std::int64_t o = 0; o < out; ++o) row[o] += factor * from[o];
      }
    });
    for (std::int64_t o = 0; o < out; ++o)
      for (std::int64_t t = 0; t < taps; ++t)
        for (std::int64_t i = 0; i < in; ++i)
          result[static_cast<std::size_t>((o * taps + t) * in + i)] =
              dw[static_cast<std::size_t>((t * in + i) * out + o)];
  }
  if (g.added) {
    auto const more = channels_last(*g.added, Rounding::none);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] += more[i % more.size()];  // or of each channel
  }
  put_channels_last(output, result);
}

}  // namespace diffsiam::standin
