#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>

#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/to_tensor.hpp>

using namespace diffsiam;
using data::Dataset;
using test::Bytes;

namespace {

/// n pictures of 1 x 2, pixels (i, 255 - i), label i % 3.
Dataset numbered(int n) {
  Bytes pixels;
  std::vector<int> labels;
  for (int i = 0; i < n; ++i) {
    pixels.push_back(static_cast<std::uint8_t>(i));
    pixels.push_back(static_cast<std::uint8_t>(255 - i));
    labels.push_back(i % 3);
  }
  return Dataset::from(pixels, {n, 1, 2, 1}, labels);
}

std::vector<int> numbers(Dataset const& set) {
  std::vector<int> result;
  for (Index i = 0; i < set.size(); ++i) result.push_back(set.pixels(i)[0]);
  return result;
}

/// Four pictures of 1 x 2 x 1 with the pixels (10 i, 10 i + 1), made when they are asked for.
struct Computed {
  Index count = 4;
  [[nodiscard]] Index size() const { return count; }
  [[nodiscard]] data::ImageExtent extent() const { return {.height = 1, .width = 2, .channels = 1}; }
  void read(Index i, std::span<std::uint8_t> out) const {
    if (i == 3) fail<FileError>("read", "a picture", "a broken one");
    out[0] = static_cast<std::uint8_t>(10 * i);
    out[1] = static_cast<std::uint8_t>(10 * i + 1);
  }
};
struct ComputedAndLabelled : Computed {
  [[nodiscard]] std::vector<int> labels() const { return {0, 1, 0, 4}; }
};
static_assert(data::PictureSource<Dataset> && !data::LabelledSource<Computed>);

}  // namespace

TEST_CASE("a data set reads the pictures of a source when they are needed") {
  Dataset const set{ComputedAndLabelled{}};
  REQUIRE(set.shape() == Shape{4, 1, 2, 1});
  REQUIRE(set.classes() == 5);
  REQUIRE(set.pixels(2) == Bytes{20, 21});
  Dataset const part = set.subset(std::vector<Index>{2, 1});
  REQUIRE(part.labels() == std::vector{0, 1});
  REQUIRE(part.slice(1, 2).origin(0) == 1);
  REQUIRE(part.units() == std::vector{data::unit_from_pixel(20), data::unit_from_pixel(21),
                                      data::unit_from_pixel(10), data::unit_from_pixel(11)});
  REQUIRE_THROWS_WITH(set.pixels(3), test::contains("a broken one"));
  REQUIRE_THROWS_AS(set.units(), FileError);
  REQUIRE_FALSE(Dataset{Computed{}}.labelled());
  REQUIRE_THROWS_AS(Dataset{Computed{0}}, ShapeError);
  REQUIRE_THROWS_AS((Dataset{ComputedAndLabelled{{.count = 3}}}), ShapeError);  // four labels
}

TEST_CASE("a data set becomes a tensor") {
  backend::Reference<float>::Context context;
  auto const x = data::to_tensor<backend::Reference<float>>(context, numbered(3));
  REQUIRE(x.shape() == Shape{3, 1, 2, 1});
  REQUIRE(x.values<float>() == numbered(3).units());
}

TEST_CASE("a data set borrows memory, keeps its owner, and copies nothing") {
  auto const memory = std::make_shared<Bytes>(Bytes{1, 2, 3, 4});
  std::weak_ptr<Bytes> const watched = memory;
  auto set = std::make_optional(Dataset::borrow(*memory, {2, 1, 2, 1}, {1, 0}, memory));
  (*memory)[2] = 30;
  REQUIRE(set->pixels(1) == Bytes{30, 4});
  REQUIRE(memory.use_count() == 2);
  set.reset();
  REQUIRE(watched.use_count() == 1);
  REQUIRE_THROWS_AS(Dataset::borrow(*memory, {2, 1, 1, 1}), ShapeError);
}

TEST_CASE("pixels become floats in [-1, 1] with exact ends and come back") {
  REQUIRE(data::unit_from_pixel(0) == -1.0F);
  REQUIRE(data::unit_from_pixel(255) == 1.0F);
  REQUIRE(data::unit_from_pixel(51) == test::Approx(-0.6));
  for (int pixel = 0; pixel < 256; ++pixel)
    REQUIRE(std::lround((data::unit_from_pixel(static_cast<std::uint8_t>(pixel)) + 1) * 127.5F) == pixel);
}

TEST_CASE("a data set of pictures in memory knows its pictures and labels") {
  Dataset const set = numbered(7);
  REQUIRE(set.shape() == Shape{7, 1, 2, 1});
  REQUIRE(set.image_size() == 2);
  REQUIRE(set.classes() == 3);
  REQUIRE(set.label(5) == 2);
  std::vector<float> const units = set.units();
  REQUIRE(units.size() == 14);
  REQUIRE(units[4] == data::unit_from_pixel(2));
  REQUIRE(units[5] == data::unit_from_pixel(253));
}

TEST_CASE("a data set without labels says so") {
  Dataset const set = Dataset::from(Bytes{1, 2, 3}, {1, 1, 1, 3});
  REQUIRE_FALSE(set.labelled());
  REQUIRE(set.classes() == 0);
  REQUIRE(set.labels().empty());
  REQUIRE(Dataset{}.size() == 0);
}

TEST_CASE("a split is a partition that depends on the seed alone") {
  Dataset const set = numbered(200);
  auto const [train, validation] = set.split(150, 3);
  REQUIRE(train.size() == 150);
  REQUIRE(validation.size() == 50);
  std::vector<int> const a = numbers(train);
  std::vector<int> const b = numbers(validation);
  std::vector<int> all;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  std::vector<int> expected(200);
  std::iota(expected.begin(), expected.end(), 0);
  REQUIRE(all == expected);  // each once, both parts in their old order
  REQUIRE(b.back() - b.front() > 100);
  REQUIRE(numbers(set.split(150, 3).second) == b);
  REQUIRE(numbers(set.split(150, 4).second) != b);
  for (Index i = 0; i < validation.size(); ++i) REQUIRE(validation.label(i) == validation.pixels(i)[0] % 3);
  REQUIRE(set.split(0, 1).first.size() == 0);
}

TEST_CASE("subsets of subsets keep pictures and labels together") {
  Dataset const set = numbered(30).slice(10, 20);
  REQUIRE(numbers(set) == std::vector<int>{10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  Dataset const picked = set.subset(std::vector<Index>{9, 0, 9});
  REQUIRE(numbers(picked) == std::vector<int>{19, 10, 19});
  REQUIRE(picked.labels() == std::vector<int>{1, 1, 1});
}

TEST_CASE("a data set whose parts do not fit together is refused") {
  using test::contains;
  REQUIRE_THROWS_WITH(Dataset::from(Bytes(5), {2, 1, 2, 1}), contains("Dataset") && contains("got 5 pixels"));
  REQUIRE_THROWS_WITH(Dataset::from(Bytes(4), {2, 2}), contains("rank 4"));
  REQUIRE_THROWS_WITH(Dataset::from(Bytes(4), {2, 1, 2, 1}, std::vector<int>{1}),
                      contains("expected 2 labels") && contains("got 1"));
  REQUIRE_THROWS_AS(Dataset::from(Bytes(4), {2, 1, 2, 1}, std::vector<int>{1, -1}), RangeError);
  REQUIRE_THROWS_AS(Dataset::from(Bytes{}, {0, 1, 2, 1}), ShapeError);
  data::ImageSet huge{
      .count = Index{1} << 30, .height = Index{1} << 31, .width = 8, .channels = 1, .pixels = Bytes(4)};
  REQUIRE_THROWS_AS(Dataset(huge), ShapeError);
  REQUIRE_THROWS_WITH(numbered(3).subset(std::vector<Index>{3}), contains("[0, 3)") && contains("got 3"));
  REQUIRE_THROWS_AS(numbered(3).slice(2, 4), RangeError);
  REQUIRE_THROWS_WITH(numbered(3).split(4, 0), contains("0 .. 3") && contains("got 4"));
}

TEST_CASE("permutations are permutations, differ by step and are even") {
  std::vector<std::uint32_t> order(50);
  data::fill_permutation(order, Rng{.seed = 1, .stream = data::shuffle_stream, .step = 0});
  std::vector<std::uint32_t> const first = order;
  std::sort(order.begin(), order.end());
  for (std::uint32_t i = 0; i < 50; ++i) REQUIRE(order[i] == i);
  data::fill_permutation(order, Rng{.seed = 1, .stream = data::shuffle_stream, .step = 1});
  REQUIRE(order != first);

  // Each of the 6 orders of three: 6000 draws, expected 1000, standard deviation 29.
  std::vector<int> counts(9);
  std::vector<std::uint32_t> three(3);
  for (std::uint64_t step = 0; step < 6000; ++step) {
    data::fill_permutation(three, Rng{.seed = 9, .stream = data::shuffle_stream, .step = step});
    ++counts[three[0] * 3 + three[1]];
  }
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < 3; ++b)
      if (a != b) REQUIRE(std::abs(counts[a * 3 + b] - 1000) < 150);
}
