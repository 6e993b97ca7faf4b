#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/data/npz_arrays.hpp>

using namespace diffsiam;
using data::PixelRange;
using test::contains;

namespace {

/// An archive that numpy wrote.
std::filesystem::path archive(std::string const& name) {
  return std::filesystem::path{DIFFSIAM_TEST_DATA} / "../io/files/numpy" / name;
}

}  // namespace

TEST_CASE("the arrays images and labels of an .npz are a set of pictures") {
  data::Dataset const set = data::load_npz(archive("stored.npz"));
  REQUIRE(set.shape() == Shape{2, 3, 4, 3});
  REQUIRE(set.labels() == std::vector<int>{7, 0});
  REQUIRE(set.pixels(1)[35] == 71);
}

TEST_CASE("masks with a pickle beside them are read as dSprites has them") {
  data::Dataset const set =
      data::load_npz(archive("deflated.npz"), {.range = PixelRange::zero_to_one, .images = "imgs"});
  REQUIRE(set.shape() == Shape{3, 4, 4, 1});
  REQUIRE_FALSE(set.labelled());
  REQUIRE(set.pixels(0)[0] == 0);
  REQUIRE(set.pixels(0)[1] == 255);
}

TEST_CASE("planes of floats in an .npz become the same pictures as their bytes") {
  data::Dataset const set =
      data::load_npz(archive("planes.npz"), {.range = PixelRange::minus_one_to_one,
                                             .layout = data::ArrayLayout::channels_first,
                                             .images = "x",
                                             .labels = "y"});
  REQUIRE(set.labels() == std::vector<int>{1, 2});
  data::Dataset const bytes = data::load_npz(archive("stored.npz"));
  for (Index i = 0; i < 2; ++i) REQUIRE(set.pixels(i) == bytes.pixels(i));
}

TEST_CASE("arrays that an .npz lacks are named") {
  REQUIRE_THROWS_WITH(data::load_npz(archive("planes.npz")), contains("'images' of"));
  REQUIRE_THROWS_WITH(data::load_npz(archive("stored.npz"), {.labels = "y"}), contains("'y' of"));
  REQUIRE_THROWS_WITH(data::load_npz(archive("stored.npz"), {}, {.max_bytes = 150}), contains("at most"));
}
