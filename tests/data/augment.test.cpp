#include <algorithm>
#include <cmath>
#include <set>

#include <tests/support/catch.hpp>

#include <diffsiam/data/two_views.hpp>

using namespace diffsiam;
using data::AugmentConfig;
using data::AugmentScratch;
using data::ImageExtent;
using test::Approx;

namespace {

using Image = std::vector<float>;

Image noise(ImageExtent const& extent, std::uint64_t seed = 0) {
  Image image(extent.size());
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = 2 * Rng{.seed = seed}.uniform(i) - 1;
  return image;
}

Image view(Image image, ImageExtent const& extent, AugmentConfig const& config, Rng const& rng) {
  AugmentScratch scratch;
  data::augment(image, extent, config, rng, scratch);
  return image;
}

void require_close(Image const& actual, Image const& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) REQUIRE(actual[i] == Approx(expected[i]).margin(5e-6));
}

constexpr ImageExtent grey_extent{.height = 28, .width = 28, .channels = 1};
constexpr ImageExtent colour_extent{.height = 9, .width = 14, .channels = 3};

}  // namespace

TEST_CASE("a flip mirrors columns and keeps channels together") {
  Image image{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
  ImageExtent const extent{.height = 2, .width = 3, .channels = 3};
  data::flip_horizontally(image, extent);
  REQUIRE(image == Image{7, 8, 9, 4, 5, 6, 1, 2, 3, 16, 17, 18, 13, 14, 15, 10, 11, 12});
  Image const before = noise(colour_extent);
  Image twice = before;
  data::flip_horizontally(twice, colour_extent);
  data::flip_horizontally(twice, colour_extent);
  REQUIRE(twice == before);
}

TEST_CASE("a shift moves the picture and fills what is left") {
  AugmentScratch scratch;
  ImageExtent const extent{.height = 2, .width = 3, .channels = 1};
  Image image{1, 2, 3, 4, 5, 6};
  data::shift(image, extent, 1, -1, 0, scratch);
  REQUIRE(image == Image{0, 0, 0, 2, 3, 0});
  image = {1, 2, 3, 4, 5, 6};
  data::shift(image, extent, -1, 2, 9, scratch);
  REQUIRE(image == Image{9, 9, 4, 9, 9, 9});
  data::shift(image, extent, 5, 0, 7, scratch);
  REQUIRE(image == Image(6, 7));
}

TEST_CASE("a resized crop is bilinear with pixel centres at halves") {
  AugmentScratch scratch;
  ImageExtent const extent{.height = 2, .width = 4, .channels = 1};
  Image image{0, 1, 2, 3, 4, 5, 6, 7};
  data::crop_resized(image, extent, {.top = 0, .left = 1, .height = 2, .width = 2}, scratch);
  REQUIRE(image == Image{1, 1.25F, 1.75F, 2, 5, 5.25F, 5.75F, 6});
  image = {0, 1, 2, 3, 4, 5, 6, 7};
  data::crop_resized(image, extent, {.top = 1, .left = 3, .height = 1, .width = 1}, scratch);
  REQUIRE(image == Image(8, 7));
  Image const before = noise(colour_extent);
  Image whole = before;
  data::crop_resized(whole, colour_extent, {.top = 0, .left = 0, .height = 9, .width = 14}, scratch);
  REQUIRE(whole == before);
  REQUIRE_THROWS_WITH(
      data::crop_resized(image, extent, {.top = 1, .left = 0, .height = 2, .width = 2}, scratch),
      test::contains("crop_resized") && test::contains("(2, 4, 1)") && test::contains("2 x 2"));
}

TEST_CASE("erase fills the rectangle, cut to the picture") {
  ImageExtent const extent{.height = 2, .width = 3, .channels = 1};
  Image image{1, 2, 3, 4, 5, 6};
  data::erase(image, extent, {.top = 1, .left = 1, .height = 4, .width = 9}, -1);
  REQUIRE(image == Image{1, 2, 3, 4, -1, -1});
}

TEST_CASE("brightness, contrast and saturation are torchvision's, moved to [-1, 1]") {
  ImageExtent const one{.height = 1, .width = 2, .channels = 1};
  Image image{0, 0.5F};  // .5 and .75 on [0, 1]
  data::change_brightness(image, one, 1.2F);
  require_close(image, {0.2F, 0.8F});  // .6 and .9
  data::change_brightness(image, one, 2);
  require_close(image, {1, 1});  // clamped

  image = {-0.5F, 0.5F};
  data::change_contrast(image, one, 0.5F);
  require_close(image, {-0.25F, 0.25F});
  data::change_contrast(image, one, 0);
  require_close(image, {0, 0});

  ImageExtent const pixel{.height = 1, .width = 1, .channels = 3};
  Image const colour{0.8F, -0.2F, 0.1F};
  float const luma = 0.299F * 0.8F - 0.587F * 0.2F + 0.114F * 0.1F;
  image = colour;
  data::change_saturation(image, pixel, 0.5F);
  require_close(image, {(0.8F + luma) / 2, (-0.2F + luma) / 2, (0.1F + luma) / 2});
  image = colour;
  data::make_grey(image, pixel);
  require_close(image, {luma, luma, luma});
}

TEST_CASE("hue turns by the circle and leaves greys alone") {
  ImageExtent const pixel{.height = 1, .width = 1, .channels = 3};
  Image image{1, -1, -1};
  data::turn_hue(image, pixel, 1.0F / 3);
  require_close(image, {-1, 1, -1});  // red to green
  data::turn_hue(image, pixel, -1.0F / 6);
  require_close(image, {1, 1, -1});  // green to yellow
  data::turn_hue(image, pixel, 0.5F);
  require_close(image, {-1, -1, 1});  // its complement
  image = {0.3F, 0.3F, 0.3F};
  data::turn_hue(image, pixel, 0.2F);
  REQUIRE(image == Image{0.3F, 0.3F, 0.3F});
  Image const before = noise(colour_extent);
  Image around = before;
  data::turn_hue(around, colour_extent, 0.3F);
  REQUIRE(around != before);
  data::turn_hue(around, colour_extent, -0.3F);
  require_close(around, before);
  data::turn_hue(around, colour_extent, 0);
  require_close(around, before);
}

TEST_CASE("blur keeps constants, spreads a point by its weights, and mirrors at the border") {
  AugmentScratch scratch;
  for (float const sigma : {0.1F, 0.7F, 2.0F, 10.0F}) {
    Image flat(colour_extent.size(), 0.25F);
    data::blur(flat, colour_extent, sigma, scratch);
    require_close(flat, Image(colour_extent.size(), 0.25F));
  }
  ImageExtent const extent{.height = 9, .width = 9, .channels = 1};
  Image point(81, 0);
  point[4 * 9 + 4] = 1;
  data::blur(point, extent, 1, scratch);
  float const norm = 1 + 2 * (std::exp(-0.5F) + std::exp(-2.0F) + std::exp(-4.5F));
  REQUIRE(point[4 * 9 + 4] == Approx(1 / (norm * norm)));
  REQUIRE(point[4 * 9 + 6] == Approx(std::exp(-2.0F) / (norm * norm)));
  REQUIRE(point[3 * 9 + 5] == Approx(std::exp(-1.0F) / (norm * norm)));
  REQUIRE(point[0] == 0);

  ImageExtent const row{.height = 1, .width = 4, .channels = 1};
  Image edge{0, 1, 0, 0};
  data::blur(edge, row, 0.5F, scratch);  // radius 2: the border sees 1 on both sides
  float const near = std::exp(-2.0F), far = std::exp(-8.0F);
  REQUIRE(edge[0] == Approx(2 * near / (1 + 2 * near + 2 * far)));
  REQUIRE_THROWS_WITH(data::blur(edge, row, 0, scratch), test::contains("sigma in (0, 10]"));
}

TEST_CASE("with all probabilities zero a view is the picture") {
  Image const grey = noise(grey_extent);
  REQUIRE(view(grey, grey_extent, AugmentConfig{}, Rng{.seed = 1}) == grey);
  AugmentConfig still = AugmentConfig::strong_colour();
  still.flip = still.to_grey = still.jitter.probability = still.blur.probability = 0;
  Image const colour = noise(colour_extent);
  REQUIRE(view(colour, colour_extent, still, Rng{.seed = 1}) == colour);
}

TEST_CASE("views stay in [-1, 1], repeat with the same draw and differ with another") {
  auto const check = [](ImageExtent const& extent, AugmentConfig const& config) {
    Image const image = noise(extent);
    std::set<Image> seen;
    for (std::uint64_t step = 0; step < 50; ++step) {
      Rng const rng{.seed = 4, .stream = data::view_stream, .step = step};
      Image const a = view(image, extent, config, rng);
      REQUIRE(a == view(image, extent, config, rng));
      for (float const value : a) REQUIRE(std::abs(value) <= 1.0F + 1e-6F);
      seen.insert(a);
    }
    REQUIRE(seen.size() > 40);
  };
  check(grey_extent, AugmentConfig::grey());
  check(colour_extent, AugmentConfig::colour());
  AugmentConfig everything = AugmentConfig::strong_colour();
  everything.crop.probability = everything.shift.probability = everything.erase.probability = 1;
  check(colour_extent, everything);
  check(
      {.height = 1, .width = 1, .channels = 3},
      AugmentConfig{.crop = {.probability = 1}, .jitter = {.probability = 1, .brightness = 1, .hue = 0.5F}});
}

TEST_CASE("each part acts as often as its probability says") {
  Image const image = noise(grey_extent);
  Image mirrored = image;
  data::flip_horizontally(mirrored, grey_extent);
  AugmentConfig config;
  config.flip = 0.25F;
  int flips = 0;
  for (std::uint64_t step = 0; step < 2000; ++step) {
    Image const result = view(image, grey_extent, config, Rng{.seed = 2, .step = step});
    REQUIRE((result == image || result == mirrored));
    flips += result == mirrored ? 1 : 0;
  }
  REQUIRE(std::abs(flips - 500) < 80);  // four standard deviations
}

TEST_CASE("crop and erase rectangles have the areas and aspects that were asked for") {
  ImageExtent const extent{.height = 100, .width = 80, .channels = 1};
  double mean_top = 0;
  for (std::uint64_t step = 0; step < 500; ++step) {
    data::detail::Draws const draws{Rng{.seed = 3, .step = step}};
    data::Rectangle const r = draws.rectangle(data::detail::Draw::crop_size, data::detail::Draw::crop_place,
                                              extent, 0.2F, 0.6F, 4.0F / 3);
    double const area = r.height * r.width / 8000.0;
    double const aspect = static_cast<double>(r.height) / r.width;
    REQUIRE((area > 0.19 && area < 0.62));
    REQUIRE((aspect > 0.73 && aspect < 1.37));
    REQUIRE((r.top >= 0 && r.left >= 0 && r.top + r.height <= 100 && r.left + r.width <= 80));
    mean_top += static_cast<double>(r.top) / (100 - r.height) / 500;
  }
  REQUIRE(mean_top == Approx(0.5).margin(0.06));
}

TEST_CASE("two views differ from each other and depend on seed and step alone") {
  data::TwoViews const views{AugmentConfig::grey()};
  Image const image = noise(grey_extent);
  AugmentScratch scratch;
  auto const make = [&](int which, std::uint64_t seed, std::uint64_t step) {
    Image out(image.size());
    views(which, image, grey_extent, seed, step, out, scratch);
    return out;
  };
  REQUIRE(make(0, 1, 2) != make(1, 1, 2));
  REQUIRE(make(0, 1, 2) == make(0, 1, 2));
  REQUIRE(make(0, 1, 2) != make(0, 2, 2));
  REQUIRE(make(0, 1, 2) != make(0, 1, 3));
}

TEST_CASE("augmentations that make no sense are refused") {
  using test::contains;
  AugmentConfig config = AugmentConfig::colour();
  REQUIRE_THROWS_WITH(
      view(noise(grey_extent), grey_extent, config, Rng{}),
      contains("augment") && contains("3 channels") && contains("(28, 28, 1)") && contains("grey()"));
  config.flip = 1.5F;
  REQUIRE_THROWS_WITH(data::TwoViews{config}, contains("probabilities in [0, 1]") && contains("1.5"));
  config = AugmentConfig::grey();
  config.crop.least_area = 0;
  REQUIRE_THROWS_AS(data::TwoViews{config}, ConfigError);
  config = AugmentConfig::grey();
  config.blur.most_sigma = 11;
  REQUIRE_THROWS_AS(data::TwoViews{config}, ConfigError);
  Image image(5);
  REQUIRE_THROWS_AS(data::flip_horizontally(image, grey_extent), ShapeError);
}
