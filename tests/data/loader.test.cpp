#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <stdexcept>

#include <tests/support/catch.hpp>

#include <diffsiam/data/loader.hpp>

using namespace diffsiam;
using data::Batch;
using data::Dataset;
using data::Loader;
using data::LoaderConfig;
using data::LoaderPosition;

namespace {

/// n pictures of 8 x 8, picture i from its own noise, label i.
Dataset random_pictures(int n) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(n) * 64);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(Rng{.seed = 8}.below(256, i));
  std::vector<int> labels(static_cast<std::size_t>(n));
  std::iota(labels.begin(), labels.end(), 0);
  return Dataset::from(pixels, {n, 8, 8, 1}, labels);
}

/// Everything a batch holds, by value.
struct Kept {
  std::vector<float> images, first, second;
  std::vector<int> labels;
  std::vector<Index> indices;
  LoaderPosition position;

  explicit Kept(Batch const& b)
      : images(b.images.begin(), b.images.end()),
        first(b.views[0].begin(), b.views[0].end()),
        second(b.views[1].begin(), b.views[1].end()),
        labels(b.labels.begin(), b.labels.end()),
        indices(b.indices.begin(), b.indices.end()),
        position(b.position) {}
  bool operator==(Kept const&) const = default;
};

std::vector<Kept> take(Loader& loader, int count) {
  std::vector<Kept> result;
  for (int i = 0; i < count; ++i) result.emplace_back(loader.next());
  return result;
}

LoaderConfig with_views(int prefetch, int threads) {
  return {.batch_size = 5,
          .seed = 11,
          .prefetch = prefetch,
          .threads = threads,
          .flip = 0.5F,
          .views = data::TwoViews{data::AugmentConfig::grey()}};
}

}  // namespace

TEST_CASE("an epoch holds every picture once, with its own label and pixels") {
  Dataset const set = random_pictures(23);
  Loader loader{set, {.batch_size = 5, .drop_last = false}};
  REQUIRE(loader.batches_per_epoch() == 5);
  std::set<Index> seen;
  std::vector<Index> sizes;
  for (Batch const& batch : loader) {
    sizes.push_back(batch.shape.samples());
    REQUIRE(batch.shape == Shape{sizes.back(), 8, 8, 1});
    REQUIRE(static_cast<Index>(batch.images.size()) == batch.shape.size());
    REQUIRE(batch.views[0].empty());
    for (std::size_t i = 0; i < batch.indices.size(); ++i) {
      seen.insert(batch.indices[i]);
      REQUIRE(batch.labels[i] == batch.indices[i]);
      REQUIRE(batch.images[i * 64 + 9] == data::unit_from_pixel(set.pixels(batch.indices[i])[9]));
    }
  }
  REQUIRE(sizes == std::vector<Index>{5, 5, 5, 5, 3});
  REQUIRE(seen.size() == 23);
  REQUIRE(loader.position() == LoaderPosition{1, 0});
}

TEST_CASE("the short batch is dropped when asked, and epochs are shuffled anew") {
  Loader loader{random_pictures(23), {.batch_size = 5}};
  REQUIRE(loader.batches_per_epoch() == 4);
  std::vector<Kept> const eight = take(loader, 8);
  REQUIRE(eight[4].position == LoaderPosition{1, 0});
  REQUIRE(eight[0].indices != eight[4].indices);
}

TEST_CASE("without shuffle the order is that of the set") {
  Loader loader{random_pictures(6), {.batch_size = 3, .shuffle = false}};
  REQUIRE(take(loader, 2)[1].indices == std::vector<Index>{3, 4, 5});
}

TEST_CASE("the bits of a batch do not depend on prefetch and threads") {
  Dataset const set = random_pictures(23);
  Loader alone{set, with_views(0, 1)};
  std::vector<Kept> const expected = take(alone, 15);
  REQUIRE(expected[0].first != expected[0].second);
  REQUIRE(expected[0].first != expected[0].images);
  for (auto const& [prefetch, threads] : std::vector<std::pair<int, int>>{{1, 1}, {2, 1}, {3, 2}, {8, 4}}) {
    Loader loader{set, with_views(prefetch, threads)};
    REQUIRE(take(loader, 15) == expected);
  }
  LoaderConfig other = with_views(2, 1);
  other.seed = 12;
  Loader reseeded{set, other};
  REQUIRE(take(reseeded, 1)[0].indices != expected[0].indices);
}

TEST_CASE("the position counts batches handed out, and another loader goes on from it") {
  Dataset const set = random_pictures(23);
  Loader whole{set, with_views(0, 1)};
  std::vector<Kept> const expected = take(whole, 12);
  Loader before{set, with_views(4, 2)};
  (void)take(before, 6);  // 4 batches an epoch: epoch 1, two handed out, four more prepared
  LoaderPosition const position = before.position();
  REQUIRE(position == LoaderPosition{1, 2});
  Loader after{set, with_views(3, 1)};
  (void)take(after, 3);
  after.seek(position);
  REQUIRE(after.position() == position);
  REQUIRE(take(after, 6) == std::vector<Kept>(expected.begin() + 6, expected.end()));
}

TEST_CASE("a range-for that starts within an epoch ends with it") {
  Loader loader{random_pictures(20), {.batch_size = 5}};
  loader.seek({7, 3});
  int batches = 0;
  for (Batch const& batch : loader) {
    REQUIRE(batch.position == LoaderPosition{7, 3});
    ++batches;
  }
  REQUIRE(batches == 1);
  for (Batch const& batch : loader) {
    REQUIRE(batch.position.epoch == 8);
    if (++batches == 3) break;
  }
  REQUIRE(loader.position() == LoaderPosition{8, 2});
}

TEST_CASE("the first pictures of a batch have their own labels, positions and views") {
  Loader loader{random_pictures(12), with_views(0, 1)};
  Batch const batch = loader.next();
  Batch const few = batch.first(3);
  CHECK(few.shape == Shape{3, 8, 8, 1});
  CHECK(few.position == batch.position);
  REQUIRE(few.images.size() == 3 * 64);
  CHECK(few.images.data() == batch.images.data());
  CHECK(few.labels.size() == 3);
  CHECK(few.indices.size() == 3);
  for (std::size_t const view : {0U, 1U}) {
    CHECK(few.views[view].size() == 3 * 64);
    CHECK(few.views[view].data() == batch.views[view].data());
  }
  CHECK(Kept{batch.first(5)} == Kept{batch});

  Loader plain{Dataset::from(std::vector<std::uint8_t>(4 * 64), {4, 8, 8, 1}),
               {.batch_size = 4, .prefetch = 0}};
  Batch const unlabelled = plain.next().first(2);
  CHECK(unlabelled.images.size() == 2 * 64);
  CHECK(unlabelled.labels.empty());
  CHECK(unlabelled.views[0].empty());

  for (Index const count : {-1, 0, 6}) {
    CAPTURE(count);
    CHECK_THROWS_AS(batch.first(count), ShapeError);
  }
  CHECK_THROWS_WITH(batch.first(6), "Batch::first: expected 1 to 5 pictures, as the batch has, got 6");
}

TEST_CASE("parts of a batch are what stands there in the whole batch") {
  Dataset const set = random_pictures(13);
  LoaderConfig config = with_views(2, 2);
  config.batch_size = 6;
  Loader whole{set, config};
  config.part = data::BatchPart{2, 4};
  Loader part{set, config};
  part.seek({0, 0});
  CHECK(part.batches_per_epoch() == 2);
  for (int i = 0; i < 5; ++i) {
    Batch const all = whole.next();
    CHECK(Kept{part.next()} == Kept{all.part(1, 3)});
  }
  using test::contains;
  Batch const batch = whole.next();
  CHECK_THROWS_WITH(batch.part(0, 4), contains("Batch::part") && contains("equal parts of 6 pictures"));
  CHECK_THROWS_WITH(batch.part(3, 3), contains("part 3 of 3"));
  config.part = data::BatchPart{2, 7};
  CHECK_THROWS_WITH(Loader(set, config), contains("a part within a batch of 6, got 2 .. 7"));
  config.part = data::BatchPart{2, 4};
  config.drop_last = false;
  CHECK_THROWS_WITH(Loader(set, config), contains("drop_last"));
}

TEST_CASE("views of a picture change from epoch to epoch") {
  Loader loader{random_pictures(5), with_views(2, 1)};
  std::map<Index, std::vector<float>> first_epoch;
  Kept const a{loader.next()};
  for (std::size_t i = 0; i < 5; ++i)
    first_epoch[a.indices[i]] = {a.first.begin() + static_cast<std::ptrdiff_t>(i * 64),
                                 a.first.begin() + static_cast<std::ptrdiff_t>(i * 64 + 64)};
  Kept const b{loader.next()};
  for (std::size_t i = 0; i < 5; ++i)
    REQUIRE(!std::equal(first_epoch[b.indices[i]].begin(), first_epoch[b.indices[i]].end(),
                        b.first.begin() + static_cast<std::ptrdiff_t>(i * 64)));
}

TEST_CASE("the second view is of a partner, of every one in turn") {
  Dataset const set = random_pictures(12);
  std::vector<Index> positions;
  for (Index i = 0; i < 12; ++i) positions.insert(positions.end(), {(i + 1) % 12, (i + 5) % 12});
  auto const plain = [](std::span<float>, data::ImageExtent const&, Rng const&, auto&) {};
  LoaderConfig config{.batch_size = 4,
                      .prefetch = 0,
                      .views = data::TwoViews{plain},
                      .partners = data::Partners{positions, 2}};
  Loader loader{set, config};
  std::set<std::pair<Index, Index>> pairs;
  for (int batches = 0; batches < 60; ++batches) {
    Batch const batch = loader.next();
    for (std::size_t i = 0; i < 4; ++i) {
      auto const shown = [&](std::span<float const> views) {
        for (Index candidate = 0; candidate < 12; ++candidate)
          if (views[i * 64 + 9] == data::unit_from_pixel(set.pixels(candidate)[9]) &&
              views[i * 64 + 40] == data::unit_from_pixel(set.pixels(candidate)[40]))
            return candidate;
        return Index{-1};
      };
      REQUIRE(shown(batch.views[0]) == batch.indices[i]);
      pairs.emplace(batch.indices[i], shown(batch.views[1]));
    }
  }
  std::set<std::pair<Index, Index>> expected;
  for (Index i = 0; i < 12; ++i) expected.insert({{i, (i + 1) % 12}, {i, (i + 5) % 12}});
  REQUIRE(pairs == expected);

  loader.seek({});
  config.prefetch = config.threads = 3;
  Loader ahead{set, config};
  REQUIRE(take(ahead, 9) == take(loader, 9));
}

TEST_CASE("the buffers of batches are reused in turn") {
  Loader loader{random_pictures(40), with_views(2, 1)};
  std::set<float const*> images, views;
  for (int i = 0; i < 30; ++i) {
    Batch const batch = loader.next();
    images.insert(batch.images.data());
    views.insert(batch.views[1].data());
  }
  REQUIRE(images.size() == 3);
  REQUIRE(views.size() == 3);
}

TEST_CASE(
    "what a preparing thread throws is thrown by next, at its turn, and the stream can be taken up again") {
  Dataset const pictures = random_pictures(20);
  for (int const prefetch : {0, 1, 3}) {
    std::atomic<int> calls{0};
    std::atomic<bool> broken{true};
    LoaderConfig config{.batch_size = 5, .shuffle = false, .prefetch = prefetch};
    config.views = data::TwoViews{
        [&](std::span<float> image, data::ImageExtent const&, Rng const&, data::AugmentScratch&) {
          ++calls;
          if (broken && image[0] == data::unit_from_pixel(pictures.pixels(12)[0]))
            throw std::runtime_error("the user's own trouble");
        }};
    Loader loader{random_pictures(20), config};
    (void)take(loader, 2);
    for (int i = 0; i < 2; ++i) REQUIRE_THROWS_WITH(loader.next(), test::contains("own trouble"));
    REQUIRE(loader.position() == LoaderPosition{0, 2});
    broken = false;
    loader.seek(loader.position());
    REQUIRE(take(loader, 2)[0].indices == std::vector<Index>{10, 11, 12, 13, 14});
    REQUIRE(calls > 0);
  }
}

TEST_CASE("a batch whose preparation failed once is tried again by the next call, prepared ahead or not") {
  for (int const prefetch : {0, 1, 3}) {
    for (int const threads : {1, 3}) {
      // Only the third batch fails.
      std::atomic<int> failures{2};
      auto const pictures = random_pictures(20);
      float const third = data::unit_from_pixel(pictures.pixels(12)[0]);
      LoaderConfig config{.batch_size = 5, .shuffle = false, .prefetch = prefetch, .threads = threads};
      config.views = data::TwoViews{
          [&](std::span<float> image, data::ImageExtent const&, Rng const&, data::AugmentScratch&) {
            if (image[0] == third && failures-- > 0) throw std::runtime_error("trouble that passes");
          }};
      Loader loader{random_pictures(20), config};
      (void)take(loader, 2);
      for (int i = 0; i < 2; ++i) {
        REQUIRE_THROWS_WITH(loader.next(), test::contains("trouble that passes"));
        REQUIRE(loader.position() == LoaderPosition{0, 2});
      }
      auto const rest = take(loader, 3);
      REQUIRE(rest[0].indices == std::vector<Index>{10, 11, 12, 13, 14});
      REQUIRE(rest[1].indices == std::vector<Index>{15, 16, 17, 18, 19});
      REQUIRE(rest[2].indices == std::vector<Index>{0, 1, 2, 3, 4});
      REQUIRE(loader.position() == LoaderPosition{1, 1});
    }
  }
}

TEST_CASE("a loader of a set without labels hands out none") {
  Loader loader{Dataset::from(std::vector<std::uint8_t>(4), {4, 1, 1, 1}), {.batch_size = 2}};
  REQUIRE(loader.next().labels.empty());
}

TEST_CASE("partners are whole rows of positions in the set") {
  using test::contains;
  data::Partners const partners{{1, 2, 2, 0, 0, 1}, 2};
  REQUIRE(partners.pictures() == 3);
  REQUIRE(partners.of(1)[0] == 2);
  REQUIRE(partners.of(1)[1] == 0);
  REQUIRE_THROWS_AS(data::Partners({}, 1), ShapeError);
  REQUIRE_THROWS_AS(data::Partners({0}, 0), ShapeError);
  REQUIRE_THROWS_WITH(data::Partners({0, 1, 2}, 2), contains("3 positions, 2 each"));
  REQUIRE_THROWS_WITH(data::Partners({0, 2}, 1), contains("[0, 2)") && contains("2 for picture 1"));
  REQUIRE_THROWS_AS(data::Partners({0, -1}, 1), RangeError);
}

TEST_CASE("a loader that cannot work is refused") {
  using test::contains;
  Dataset const set = random_pictures(4);
  REQUIRE_THROWS_WITH(Loader(Dataset{}), contains("Loader") && contains("at least one picture"));
  REQUIRE_THROWS_WITH(Loader(set, {.batch_size = 0}),
                      contains("batch size of at least 1") && contains("got 0"));
  REQUIRE_THROWS_WITH(Loader(set, {.batch_size = 5}), contains("at most 4") && contains("got 5"));
  REQUIRE_NOTHROW(Loader(set, {.batch_size = 5, .drop_last = false}));
  REQUIRE_THROWS_AS(Loader(set, {.batch_size = 1, .prefetch = -1}), ConfigError);
  REQUIRE_THROWS_AS(Loader(set, {.batch_size = 1, .threads = 0}), ConfigError);
  REQUIRE_THROWS_AS(Loader(set, {.batch_size = 1, .flip = 2}), ConfigError);
  data::Partners const of_three{{1, 2, 0}, 1};
  REQUIRE_THROWS_WITH(Loader(set, {.batch_size = 1, .partners = of_three}), contains("views"));
  LoaderConfig views = with_views(0, 1);
  views.batch_size = 1;
  views.partners = of_three;
  REQUIRE_THROWS_WITH(Loader(set, views), contains("partners of 4") && contains("got 3"));
  Loader loader{set, {.batch_size = 2}};
  REQUIRE_THROWS_WITH(loader.seek({0, 2}), contains("[0, 2)") && contains("got 2"));
}
