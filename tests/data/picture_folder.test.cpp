#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/loader.hpp>
#include <diffsiam/data/picture_cache.hpp>
#include <diffsiam/data/picture_folder.hpp>
#include <diffsiam/io/png.hpp>

using namespace diffsiam;
using data::list_pictures;
using data::PictureFolder;

namespace {

constexpr data::FitConfig two_by_two{.height = 2, .width = 2, .channels = 1};

/// 40 grey pictures of one shade each, of several sizes, in two classes.
void draw(std::filesystem::path const& folder) {
  for (int i = 0; i < 40; ++i) {
    auto const path = folder / (i % 2 == 0 ? "even" : "odd") / (std::to_string(100 + i) + ".png");
    std::filesystem::create_directories(path.parent_path());
    io::write_png(path, io::blank_picture(2 + i % 3, 3 + i % 5, 1, static_cast<std::uint8_t>(5 * i)));
  }
}

}  // namespace

TEST_CASE("a folder of pictures is a data set with labels") {
  test::Scratch const scratch;
  draw(scratch.folder());
  PictureFolder const folder{list_pictures(scratch.folder()), two_by_two};
  data::Dataset const set{folder};
  REQUIRE(set.shape() == Shape{40, 2, 2, 1});
  REQUIRE(set.classes() == 2);
  REQUIRE(folder.name(20) == "odd/101.png");
  REQUIRE(set.label(20) == 1);
  REQUIRE(set.pixels(20) == test::Bytes{5, 5, 5, 5});
  test::Bytes pixels(4);
  REQUIRE(folder.read_sized(20, pixels) == data::ImageExtent{.height = 3, .width = 4, .channels = 1});
}

TEST_CASE("a picture that cannot be read is named") {
  test::Scratch const scratch;
  draw(scratch.folder());
  io::write_file(scratch / "even/100.png", "no picture");
  data::Dataset const set{PictureFolder{list_pictures(scratch.folder()), two_by_two}};
  REQUIRE_THROWS_WITH(set.pixels(0), test::contains("even/100.png") && test::contains("PNG"));
  std::filesystem::remove(scratch / "even/100.png");
  REQUIRE_THROWS_WITH(set.pixels(0), test::contains("even/100.png"));
  REQUIRE_THROWS_AS((PictureFolder{list_pictures(scratch.folder()), {.height = 0, .width = 2}}), ConfigError);
}

TEST_CASE("batches of a folder are the same decoded on the way, from the cache, and with any threads") {
  test::Scratch const scratch;
  draw(scratch.folder());
  PictureFolder const folder{list_pictures(scratch.folder()), two_by_two};
  ThreadPool threads{2};
  auto const cached = data::cache_pictures(folder, {.path = scratch / "cache"}, threads);
  auto const batches = [](data::Dataset const& set, int prefetch, int workers) {
    data::Loader loader{set, {.batch_size = 7, .prefetch = prefetch, .threads = workers}};
    (void)loader.next();
    loader.seek({.epoch = 3, .batch = 1});  // as a resumed run does
    std::vector<float> values;
    std::vector<int> labels;
    for (int i = 0; i < 9; ++i) {
      auto const batch = loader.next();
      values.insert(values.end(), batch.images.begin(), batch.images.end());
      labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
    }
    return std::pair{values, labels};
  };
  auto const expected = batches(cached.pictures, 0, 1);
  REQUIRE(batches(data::Dataset{folder}, 0, 1) == expected);
  REQUIRE(batches(data::Dataset{folder}, 3, 2) == expected);
  REQUIRE(batches(cached.pictures, 2, 2) == expected);
}

TEST_CASE("a changed picture makes a new cache") {
  test::Scratch const scratch;
  draw(scratch / "pictures");
  ThreadPool threads{1};
  auto const build = [&](data::FitConfig const& fit) {
    return data::cache_pictures(PictureFolder{list_pictures(scratch / "pictures"), fit},
                                {.path = scratch / "cache"}, threads);
  };
  REQUIRE(build(two_by_two).built);
  REQUIRE_FALSE(build(two_by_two).built);
  io::write_png(scratch / "pictures/odd/101.png", io::blank_picture(3, 3, 1, 77));
  auto const again = build(two_by_two);
  REQUIRE(again.built);
  REQUIRE(again.pictures.pixels(20) == test::Bytes{77, 77, 77, 77});
  data::FitConfig padded = two_by_two;
  padded.fit = data::Fit::pad;
  REQUIRE(build(padded).built);
}
