#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>
#include <string_view>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/data/shapes.hpp>

using namespace diffsiam;
using data::ShapeFactor;
using data::ShapePictures;
using std::numbers::pi;
using test::Approx;
using Values = ShapePictures::Values;
using Pixels = std::vector<std::uint8_t>;

namespace {

constexpr std::array all_factors{ShapeFactor::background,
                                 ShapeFactor::shape,
                                 ShapeFactor::hue,
                                 ShapeFactor::size,
                                 ShapeFactor::x,
                                 ShapeFactor::y,
                                 ShapeFactor::rotation,
                                 ShapeFactor::stripe_frequency,
                                 ShapeFactor::stripe_phase,
                                 ShapeFactor::edge};

Pixels picture(ShapePictures const& shapes, Values const& values) {
  Pixels pixels(static_cast<std::size_t>(shapes.image_size()));
  shapes.render(values, pixels);
  return pixels;
}

int& at(Values& values, ShapeFactor factor) {
  return values[data::factor_index(factor)];
}

/// Of pixels in [-1, 1].
double distance(Pixels const& a, Pixels const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += std::pow((static_cast<double>(a[i]) - static_cast<double>(b[i])) / 127.5, 2);
  return std::sqrt(sum);
}

/// What an object of hue 4 and edge 3 covers of a grey picture of background 0, side by side 64 pixels.
/// Pixels of the border mix 8 and .7 (132 + 13 4); those inside are brighter.
struct Cover {
  double area = 0, x = 0, y = 0;  ///< in pixels; the centre of mass
};
Cover cover(Pixels const& pixels) {
  Cover result;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    double const part = std::min((pixels[i] - 8) / (0.7 * 184 - 8), 1.0);
    result.area += part;
    result.x += part * (static_cast<double>(i % 64) + 0.5);
    result.y += part * (static_cast<double>(i / 64) + 0.5);
  }
  result.x /= result.area;
  result.y /= result.area;
  return result;
}

std::uint64_t hash(std::span<std::uint8_t const> bytes) {  // FNV-1a
  std::uint64_t result = 0xCBF29CE484222325U;
  for (std::uint8_t const byte : bytes) result = (result ^ byte) * 0x100000001B3U;
  return result;
}

Pixels all_pixels(data::Dataset const& set) {
  Pixels result;
  for (Index i = 0; i < set.size(); ++i) {
    auto const pixels = set.pixels(i);
    result.insert(result.end(), pixels.begin(), pixels.end());
  }
  return result;
}

}  // namespace

TEST_CASE("factors have levels, names and a number for every combination") {
  static_assert(ShapePictures::levels(ShapeFactor::size) == 5);
  static_assert(ShapePictures::combinations == 41'943'040);  // 8 4 8 5 8 8 8 4 4 4
  std::set<std::string_view> names;
  for (ShapeFactor const factor : all_factors) names.insert(ShapePictures::name(factor));
  REQUIRE(names.size() == 10);
  REQUIRE(ShapePictures::name(ShapeFactor::stripe_phase) == "stripe_phase");

  REQUIRE(ShapePictures::index({}) == 0);
  REQUIRE(ShapePictures::index({0, 0, 0, 0, 0, 0, 0, 0, 1, 2}) == 6);
  REQUIRE(ShapePictures::at(41'943'039) == Values{7, 3, 7, 4, 7, 7, 7, 3, 3, 3});
  for (std::uint64_t index = 5; index < ShapePictures::combinations; index += 1'000'003)
    REQUIRE(ShapePictures::index(ShapePictures::at(index)) == index);
}

TEST_CASE("colours are those of the two wheels") {
  ShapePictures const colour{{.side = 64}}, grey{{.side = 64, .channels = 1}};
  // Background 2: 85 + 45 cos(90, -30, -150 degrees).
  Pixels const pixels = picture(colour, {2, 0, 0, 4, 3, 3, 0, 0, 0, 0});
  REQUIRE(std::vector(pixels.begin(), pixels.begin() + 3) == Pixels{85, 124, 46});
  REQUIRE(picture(grey, {2, 0, 0, 4, 3, 3, 0, 0, 0, 0})[0] == 30);
  // The middle pixel of a disc, hue 1: 160 + 62 cos(67.5, -52.5, -172.5 degrees), and the stripe. The centre
  // of level 3 lies at half the side less half a place step, (1 - 2 margin)/7/2 = .0178 sides; pixel 31's at
  // -.5 pixels from the middle.
  double const across = 31.5 - 64 * (0.5 - (1 - 2 * (0.24 * 1.3 + 0.0625)) / 14);
  for (int phase = 0; phase < 4; ++phase) {
    double const stripe = 28 * std::cos(2 * pi * (2.7 + 1.6 * 2) * across / 64 + pi / 2 * (phase + 0.5));
    Pixels const disc = picture(colour, {2, 0, 1, 4, 3, 3, 0, 2, phase, 0});
    std::size_t const middle = (32 * 64 + 31) * 3;
    REQUIRE(disc[middle] == Approx(160 + 62 * std::cos(67.5 / 180 * pi) + stripe).margin(0.51));
    REQUIRE(disc[middle + 1] == Approx(160 + 62 * std::cos(52.5 / 180 * pi) + stripe).margin(0.51));
    REQUIRE(disc[middle + 2] == Approx(160 - 62 * std::cos(7.5 / 180 * pi) + stripe).margin(0.51));
  }
}

TEST_CASE("shapes have the areas and centres that their values say") {
  ShapePictures const shapes{{.side = 64, .channels = 1}};
  // In squares of the radius.
  std::array const area{pi, 4 * 0.84 * 0.84, 3 * std::sqrt(3.0) / 4 * 1.69,
                        4 * (2 * 1.08 * 0.42 - 0.42 * 0.42)};
  double const margin = 0.24 * 1.3 + 0.0625;
  for (int shape = 0; shape < 4; ++shape)
    for (int size = 0; size < 5; ++size)
      for (int place = 0; place < 8; ++place) {
        Cover const seen = cover(picture(shapes, {0, shape, 4, size, place, 7 - place, place, 1, 1, 3}));
        double const r = 64 * (0.13 + 0.0275 * size);
        auto const s = static_cast<std::size_t>(shape);
        INFO("shape " << shape << ", size " << size << ", place " << place);
        REQUIRE(seen.area == Approx(area[s] * r * r).epsilon(0.02));
        REQUIRE(seen.x == Approx(64 * (margin + (1 - 2 * margin) * place / 7)).margin(0.1));
        REQUIRE(seen.y == Approx(64 * (margin + (1 - 2 * margin) * (7 - place) / 7)).margin(0.1));
      }
}

TEST_CASE("triangles point upwards at first and then turn clockwise") {
  ShapePictures const shapes{{.side = 64, .channels = 1}};
  auto const row_extent = [&](Pixels const& pixels, int row) {
    return std::count_if(pixels.begin() + row * 64, pixels.begin() + (row + 1) * 64,
                         [&](std::uint8_t pixel) { return pixel != pixels[0]; });
  };
  Pixels const upright = picture(shapes, {0, 2, 4, 4, 3, 3, 0, 0, 0, 3});
  REQUIRE(row_extent(upright, 18) < row_extent(upright, 30));
  REQUIRE(row_extent(upright, 30) < row_extent(upright, 38));
  // A tip at 0 degrees comes to 67.5, to the right and a little up.
  Pixels const turned = picture(shapes, {0, 2, 4, 4, 3, 3, 6, 0, 0, 3});
  double const reach = 64 * 0.24 * 1.3 - 2, centre = 64 * (0.5 - (1 - 2 * (0.24 * 1.3 + 0.0625)) / 14);
  auto const pixel = [&](double degrees) {
    double const angle = degrees / 180 * pi;
    return turned[static_cast<std::size_t>(centre - reach * std::cos(angle)) * 64 +
                  static_cast<std::size_t>(centre + reach * std::sin(angle))];
  };
  REQUIRE(pixel(67.5) != turned[0]);
  REQUIRE(pixel(67.5 + 120) != turned[0]);
  REQUIRE(pixel(7.5) == turned[0]);
}

TEST_CASE("objects lie inside the picture with a pixel of background around") {
  for (Index const side : {16, 24, 64})
    for (Index const channels : {1, 3}) {
      ShapePictures const shapes{{.side = side, .channels = channels}};
      auto const depth = static_cast<std::size_t>(channels);
      for (int shape = 0; shape < 4; ++shape)
        for (int rotation = 0; rotation < 8; ++rotation)
          for (int const place : {0, 1, 2, 3}) {
            Pixels const pixels =
                picture(shapes, {3, shape, 4, 4, place % 2 * 7, place / 2 * 7, rotation, 0, 0, 0});
            auto const last = static_cast<std::size_t>(side) - 1;
            for (std::size_t i = 0; i <= last; ++i)
              for (std::size_t const at : {i, last * (last + 1) + i, i * (last + 1), i * (last + 1) + last})
                for (std::size_t c = 0; c < depth; ++c) REQUIRE(pixels[at * depth + c] == pixels[c]);
          }
    }
}

TEST_CASE("a picture of half the side is nearly the mean of every four pixels") {
  ShapePictures const fine{{.side = 64, .channels = 1}}, coarse{{.side = 32, .channels = 1}};
  double sum = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    Values const values = ShapePictures::draw(Rng{.seed = 8}, i);
    Pixels const a = picture(fine, values), b = picture(coarse, values);
    for (std::size_t y = 0; y < 32; ++y)
      for (std::size_t x = 0; x < 32; ++x) {
        std::size_t const at = 2 * y * 64 + 2 * x;
        double const mean = (a[at] + a[at + 1] + a[at + 64] + a[at + 65]) / 4.0;
        REQUIRE(std::abs(mean - b[y * 32 + x]) < 48);  // at tips
        sum += std::abs(mean - b[y * 32 + x]);
      }
  }
  REQUIRE(sum / (50 * 32 * 32) < 0.4);
}

TEST_CASE("every level of every factor changes the picture, whatever the others are") {
  for (Index const side : {16, 32})
    for (Index const channels : {1, 3}) {
      ShapePictures const shapes{{.side = side, .channels = channels}};
      for (std::uint64_t context = 0; context < 100; ++context) {
        Values values = ShapePictures::draw(Rng{.seed = 21}, context);
        for (ShapeFactor const factor : all_factors) {
          Values changed = values;
          std::set<Pixels> pictures;
          for (at(changed, factor) = 0; at(changed, factor) < ShapePictures::levels(factor);
               ++at(changed, factor))
            pictures.insert(picture(shapes, changed));
          INFO(ShapePictures::name(factor) << " at side " << side << ", context " << context);
          REQUIRE(pictures.size() == static_cast<std::size_t>(ShapePictures::levels(factor)));
        }
      }
    }
}

TEST_CASE("objects are brighter than their backgrounds") {
  for (Index const channels : {1, 3}) {
    ShapePictures const shapes{{.side = 64, .channels = channels}};
    auto const depth = static_cast<std::size_t>(channels);
    for (int background = 0; background < 8; ++background)
      for (int hue = 0; hue < 8; ++hue)
        for (int phase = 0; phase < 4; ++phase) {
          Pixels const pixels = picture(shapes, {background, 0, hue, 4, 3, 3, 0, 3, phase, 0});
          for (std::size_t x = 24; x < 36; ++x) {  // across several waves
            auto const inside = pixels.begin() + static_cast<std::ptrdiff_t>((31 * 64 + x) * depth);
            int const contrast = std::accumulate(inside, inside + channels, 0) -
                                 std::accumulate(pixels.begin(), pixels.begin() + channels, 0);
            REQUIRE(contrast > 10 * channels);
          }
        }
  }
}

TEST_CASE("coarse factors are further apart than fine ones") {
  ShapePictures const shapes;
  auto const mean = [&](ShapeFactor factor) {
    double sum = 0;
    for (std::uint64_t i = 0; i < 400; ++i) {
      auto const [a, b] = ShapePictures::pair(factor, Rng{.seed = 7}, i);
      sum += distance(picture(shapes, a), picture(shapes, b));
    }
    return sum / 400;
  };
  double const background = mean(ShapeFactor::background), rotation = mean(ShapeFactor::rotation);
  double const phase = mean(ShapeFactor::stripe_phase), frequency = mean(ShapeFactor::stripe_frequency);
  double const edge = mean(ShapeFactor::edge);
  for (ShapeFactor const factor :
       {ShapeFactor::shape, ShapeFactor::hue, ShapeFactor::size, ShapeFactor::x, ShapeFactor::y}) {
    double const middle = mean(factor);
    REQUIRE(middle < background / 1.5);
    REQUIRE(middle > rotation);
  }
  REQUIRE(rotation > 1.2 * phase);
  REQUIRE(phase > 1.2 * frequency);
  REQUIRE(frequency > edge);
}

TEST_CASE("a pair differs in one factor and in nothing else") {
  Rng const rng{.seed = 3, .stream = 5};
  for (ShapeFactor const factor : all_factors) {
    std::set<std::pair<int, int>> seen;
    for (std::uint64_t i = 0; i < 2000; ++i) {
      auto [a, b] = ShapePictures::pair(factor, rng, i);
      REQUIRE(a == ShapePictures::draw(rng, i));
      REQUIRE(at(a, factor) != at(b, factor));
      seen.emplace(at(a, factor), at(b, factor));
      at(a, factor) = at(b, factor);
      REQUIRE(a == b);
    }
    auto const levels = static_cast<std::size_t>(ShapePictures::levels(factor));
    REQUIRE(seen.size() == levels * (levels - 1));
  }
}

TEST_CASE("draws are even and factors independent of each other") {
  constexpr int draws = 20000;
  std::vector<Values> drawn;
  for (std::uint64_t i = 0; i < draws; ++i) drawn.push_back(ShapePictures::draw(Rng{.seed = 11}, i));
  for (std::size_t f = 0; f < data::shape_factors; ++f)
    for (std::size_t g = 0; g < f; ++g) {
      int const rows = data::shape_levels[f], columns = data::shape_levels[g];
      std::vector<int> counts(static_cast<std::size_t>(rows * columns));
      for (Values const& values : drawn) ++counts[static_cast<std::size_t>(values[f] * columns + values[g])];
      double const expected = static_cast<double>(draws) / (rows * columns);
      double chi = 0;
      for (int const count : counts) chi += (count - expected) * (count - expected) / expected;
      double const freedom = rows * columns - 1;
      REQUIRE(std::abs(chi - freedom) < 5 * std::sqrt(2 * freedom));
    }
}

TEST_CASE("the same seed gives the same pixels with any number of threads, on any target") {
  Rng const rng{.seed = 1, .stream = 2};
  ThreadPool three{3};
  ShapePictures const shapes{{.side = 24}};
  ShapePictures::Sample const alone = shapes.sample(200, rng), together = shapes.sample(200, rng, &three);
  REQUIRE(alone.pictures.shape() == Shape{200, 24, 24, 3});
  REQUIRE_FALSE(alone.pictures.labelled());
  REQUIRE(all_pixels(alone.pictures) == all_pixels(together.pictures));
  REQUIRE(alone.values == together.values);
  REQUIRE(alone.values != shapes.sample(200, rng.next()).values);

  std::vector<Values> rows;
  for (std::uint64_t i = 0; i < 200; ++i) rows.push_back(ShapePictures::draw(rng, i));
  REQUIRE(all_pixels(shapes.render_all(rows, &three)) == all_pixels(alone.pictures));
  std::vector<int> const sizes = alone.column(ShapeFactor::size);
  REQUIRE(sizes.size() == 200);
  for (std::size_t i = 0; i < 200; ++i) REQUIRE(sizes[i] == at(rows[i], ShapeFactor::size));

  // Of 2000 pictures each; the same from g++ 12 and clang 19, with and without fused multiply-adds.
  auto const hashed = [&](Index side, Index channels) {
    ShapePictures const some{{.side = side, .channels = channels}};
    return hash(all_pixels(some.sample(2000, rng, &three).pictures));
  };
  CHECK(hashed(16, 3) == 0x8B819E630772C794U);
  CHECK(hashed(32, 3) == 0x61587782000E5338U);
  CHECK(hashed(24, 1) == 0x6FD9E19301927B92U);
  CHECK(hashed(64, 1) == 0xEE95EB15812605D9U);
}

TEST_CASE("shapes that cannot be drawn are refused") {
  using test::contains;
  REQUIRE_THROWS_WITH(ShapePictures({.side = 15}),
                      contains("ShapePictures") && contains("16 .. 64") && contains("15"));
  REQUIRE_THROWS_AS(ShapePictures({.side = 65}), ConfigError);
  REQUIRE_THROWS_WITH(ShapePictures({.channels = 2}), contains("1 or 3 channels") && contains("got 2"));

  ShapePictures const shapes{{.side = 16}};
  Pixels pixels(16 * 16 * 3);
  REQUIRE_THROWS_WITH(shapes.render({0, 4}, pixels),
                      contains("render") && contains("shape in [0, 4)") && contains("got 4"));
  Values values{};
  values[9] = -1;
  REQUIRE_THROWS_WITH(shapes.render_all(std::vector{values}),
                      contains("edge in [0, 4)") && contains("got -1"));
  REQUIRE_THROWS_AS(ShapePictures::index(values), RangeError);
  REQUIRE_THROWS_WITH(ShapePictures::at(ShapePictures::combinations), contains("[0, 41943040)"));
  pixels.pop_back();
  REQUIRE_THROWS_WITH(shapes.render({}, pixels), contains("768 pixels") && contains("got 767"));
  REQUIRE_THROWS_AS(shapes.render({}, pixels), ShapeError);
  REQUIRE_THROWS_WITH(shapes.sample(0, Rng{}), contains("sample") && contains("got 0"));
  REQUIRE_THROWS_AS(shapes.sample(Index{1} << 31, Rng{}), RangeError);
  REQUIRE_THROWS_AS(shapes.render_all({}), RangeError);
}
