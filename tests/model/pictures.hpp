// Pictures that two factors make: where a bright bar stands, and whether it lies on dark or on light ground.
#pragma once

#include <vector>

#include <diffsiam/encoder/conv_decoder.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/testing/draw.hpp>

namespace diffsiam::test {

struct Pictures {
  static constexpr Index side = 8;
  static constexpr int places = 4;
  Index count = 0;
  std::vector<float> values;  ///< (count, 8, 8, 1), in [-1, 1] up to noise
  std::vector<int> labels;    ///< (count, 2): place, ground

  Pictures(Index n, std::uint64_t seed, float noise = 0.1F) : count(n) {
    auto const random = testing::draw(testing::Kind::normal, {n * side * side}, {.seed = seed});
    for (Index i = 0; i < n; ++i) {
      int const place = static_cast<int>(i % places), ground = static_cast<int>(i / places % 2);
      labels.insert(labels.end(), {place, ground});
      for (Index p = 0; p < side * side; ++p) {
        float const mark = p % side / 2 == place ? 0.8F : -0.8F;
        values.push_back((ground == 0 ? mark : -mark) + noise * static_cast<float>(random[values.size()]));
      }
    }
  }
  template <class B>
  [[nodiscard]] Tensor<B> tensor(typename B::Context& context) const {
    return Tensor<B>::from(context, {count, side, side, 1}, std::span<float const>{values});
  }
};

/// 8x8 -> (n, dims).
template <class B>
[[nodiscard]] encoder::ModularEncoder<B> picture_encoder(typename B::Context& context, int dims) {
  return {context,
          {.backbone = {.in_channels = 1,
                        .height = Pictures::side,
                        .width = Pictures::side,
                        .channels = {8, 16},
                        .attention_after = -1,
                        .groups = 4},
           .partition = encoder::TimestepPartition::uniform({.timesteps = 10, .subsets = 1, .dims = dims})}};
}
/// (n, dims) -> 8x8.
template <class B>
[[nodiscard]] encoder::ConvDecoder<B> picture_decoder(typename B::Context& context, int dims) {
  auto config =
      encoder::ConvDecoder<B>::Config::mirror_of(picture_encoder<B>(context, dims).backbone().config(), dims);
  return {context, config};
}

}  // namespace diffsiam::test
