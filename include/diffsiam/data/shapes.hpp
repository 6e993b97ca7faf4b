// ShapePictures: pictures of one object with known factors, drawn by the library. They serve measures of
// which factor a feature represents, and comparisons of coarse and fine factors by the time-step at which
// noise hides them. A picture depends only on its values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/thread_pool.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/idx.hpp>
#include <diffsiam/data/shape_factors.hpp>
#include <diffsiam/data/shape_renderer.hpp>

namespace diffsiam::data {

/// Settings of ShapePictures.
struct ShapePicturesConfig {
  Index side = 32;     ///< of the picture, 16 to 64 pixels
  Index channels = 3;  ///< 3 (RGB) or 1 (brightness instead of hue)
};

/// Pictures with the values of their factors.
struct ShapeSample {
  Dataset pictures;           ///< (count, side, side, channels), unlabelled
  std::vector<int> values{};  ///< (count, factors), row by row

  /// The level of one factor in every picture, (count).
  [[nodiscard]] std::vector<int> column(ShapeFactor factor) const {
    std::vector<int> result;
    result.reserve(values.size() / shape_factors);
    for (std::size_t i = factor_index(factor); i < values.size(); i += shape_factors)
      result.push_back(values[i]);
    return result;
  }
};

/// Draws pictures from values, and random values. The factors are those of ShapeFactor.
class ShapePictures {
 public:
  static constexpr int factors = static_cast<int>(shape_factors);  ///< how many there are
  /// How many different pictures there are
  static constexpr std::uint64_t combinations = shape_combinations;
  /// Names the factors.
  using Factor = ShapeFactor;
  /// A level for each factor.
  using Values = ShapeValues;
  using Config = ShapePicturesConfig;
  /// A picture with its values.
  using Sample = ShapeSample;

  /// Throws ConfigError for a side or number of channels out of range.
  explicit ShapePictures(Config const& config = {}) : config_(config) {
    if (config.side < 16 || config.side > 64)
      fail<ConfigError>("ShapePictures", "a side of 16 .. 64 pixels", config.side);
    if (config.channels != 1 && config.channels != 3)
      fail<ConfigError>("ShapePictures", "1 or 3 channels", config.channels);
  }

  /// The number of levels of a factor.
  [[nodiscard]] static constexpr int levels(Factor factor) { return shape_levels[factor_index(factor)]; }
  /// The name of a factor, as in shape_factor_names.
  [[nodiscard]] static constexpr std::string_view name(Factor factor) {
    return shape_factor_names[factor_index(factor)];
  }
  /// The number of a combination, in [0, combinations). Throws RangeError for a value outside its levels.
  [[nodiscard]] static std::uint64_t index(Values const& values) { return combination_index(values); }
  /// The inverse of index(). Throws RangeError for other numbers.
  [[nodiscard]] static Values at(std::uint64_t index) { return combination(index); }

  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  /// Number of values in one picture.
  [[nodiscard]] Index image_size() const { return config_.side * config_.side * config_.channels; }

  /// Writes one picture, (side, side, channels), with values 0..255. Throws RangeError for a value outside
  /// its levels, ShapeError unless `out` has image_size() pixels.
  void render(Values const& values, std::span<std::uint8_t> out) const {
    require_levels("ShapePictures::render", values);
    if (out.size() != static_cast<std::size_t>(image_size()))
      fail<ShapeError>("ShapePictures::render", {"room for ", image_size(), " pixels"}, out.size());
    draw_into(values, out);
  }

  /// Draw number i of a random stream, from its elements 3 i .. 3 i + 2. All combinations have the same
  /// probability.
  [[nodiscard]] static Values draw(Rng const& rng, std::uint64_t i) { return words_of(rng, i).values(); }
  /// Draw number i, and the same with another level of only `factor`; all other levels have the same
  /// probability.
  [[nodiscard]] static std::pair<Values, Values> pair(Factor factor, Rng const& rng, std::uint64_t i) {
    Words const words = words_of(rng, i);
    Values const first = words.values();
    Values second = first;
    int const others = levels(factor) - 1;
    int& value = second[factor_index(factor)];
    value = (value + 1 + words.below(others, shape_factors)) % (others + 1);
    return {first, second};
  }

  /// Draws 0 .. count-1 with their pictures. Throws RangeError for a count below 1 or above 2^31 - 1. `pool`
  /// may be null.
  [[nodiscard]] Sample sample(Index count, Rng const& rng, ThreadPool* pool = nullptr) const {
    require_count("ShapePictures::sample", count);
    std::vector<Values> drawn(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = draw(rng, i);
    Sample result{.pictures = draw_all(drawn, pool)};
    result.values.reserve(drawn.size() * shape_factors);
    for (Values const& values : drawn)
      result.values.insert(result.values.end(), values.begin(), values.end());
    return result;
  }

  /// The pictures of given values, in order. Throws RangeError if there are none, and for a value outside its
  /// levels.
  [[nodiscard]] Dataset render_all(std::span<Values const> values, ThreadPool* pool = nullptr) const {
    require_count("ShapePictures::render_all", static_cast<Index>(values.size()));
    for (Values const& one : values) require_levels("ShapePictures::render_all", one);
    return draw_all(values, pool);
  }

 private:
  /// The random words of one draw: one for each factor, and one for another level.
  struct Words {
    std::array<std::uint32_t, 12> words;

    [[nodiscard]] int below(int bound, std::size_t word) const {
      return static_cast<int>((std::uint64_t{words[word]} * static_cast<std::uint64_t>(bound)) >> 32);
    }
    [[nodiscard]] Values values() const {
      Values result{};
      for (std::size_t f = 0; f < shape_factors; ++f) result[f] = below(shape_levels[f], f);
      return result;
    }
  };
  [[nodiscard]] static Words words_of(Rng const& rng, std::uint64_t i) {
    Words result{};
    for (std::size_t block = 0; block < 3; ++block) {
      std::array<std::uint32_t, 4> const four = rng.words(3 * i + block);
      std::copy(four.begin(), four.end(), result.words.begin() + static_cast<std::ptrdiff_t>(4 * block));
    }
    return result;
  }

  static void require_count(std::string_view operation, Index count) {
    if (count < 1 || count > std::numeric_limits<std::int32_t>::max())
      fail<RangeError>(operation, "1 .. 2^31 - 1 pictures", count);
  }

  void draw_into(Values const& values, std::span<std::uint8_t> out) const {
    detail::render_shape(values, static_cast<int>(config_.side), static_cast<int>(config_.channels), out);
  }
  [[nodiscard]] Dataset draw_all(std::span<Values const> values, ThreadPool* pool) const {
    auto const each = static_cast<std::size_t>(image_size());
    std::vector<std::uint8_t> pixels(values.size() * each);
    constexpr std::size_t piece_size = 64;
    auto const piece = [&](Index number, int = 0) {
      std::size_t const begin = static_cast<std::size_t>(number) * piece_size;
      for (std::size_t i = begin; i < std::min(begin + piece_size, values.size()); ++i)
        draw_into(values[i], std::span(pixels).subspan(i * each, each));
    };
    auto const pieces = static_cast<Index>((values.size() + piece_size - 1) / piece_size);
    if (pool != nullptr)
      pool->run(pieces, piece);
    else
      for (Index number = 0; number < pieces; ++number) piece(number);
    return Dataset{{.count = static_cast<Index>(values.size()),
                    .height = config_.side,
                    .width = config_.side,
                    .channels = config_.channels,
                    .pixels = std::move(pixels)}};
  }

  Config config_;
};

}  // namespace diffsiam::data
