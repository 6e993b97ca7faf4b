#include <numeric>
#include <sstream>
#include <vector>

#include <tests/dist/ranks.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/eval/encode.hpp>

using namespace diffsiam;

namespace {

/// The pixels themselves.
struct Pixels {
  using Backend = backend::Reference<double>;
  std::vector<Index>* batches;
  [[nodiscard]] Tensor<Backend> operator()(Tensor<Backend> const& x) const {
    batches->push_back(x.shape().samples());
    return x.reshaped({x.shape().samples(), 4});
  }
};

}  // namespace

TEST_CASE("every picture of a set is encoded once, in order, the last batch short", "[eval][encode]") {
  std::vector<std::uint8_t> pixels(7 * 4);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  auto const pictures = data::Dataset::from(pixels, {7, 2, 2, 1});
  Pixels::Backend::Context context;
  std::vector<Index> batches;
  CHECK(eval::encode(context, Pixels{&batches}, pictures, {.batch = 3}) == pictures.units());
  CHECK(batches == std::vector<Index>{3, 3, 1});
  CHECK_THROWS_WITH(eval::encode(context, Pixels{&batches}, pictures, {.batch = 0}), test::contains("got 0"));
}

TEST_CASE("Chosen subsets of z are encoded, with labels, batch by batch, with progress", "[eval][encode]") {
  std::vector<std::uint8_t> pixels(20);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{100});
  auto const pictures = data::Dataset::from(pixels, {5, 2, 2, 1}, std::vector<int>{0, 1, 2, 1, 0});
  auto const partition = encoder::TimestepPartition::uniform({.timesteps = 4, .subsets = 4, .dims = 4});
  Pixels::Backend::Context context;
  std::vector<Index> batches;
  std::ostringstream out;
  eval::EncodeConfig config{
      .batch = 2, .columns = eval::Columns::of(partition, {1, 3}), .progress = &out, .label = "z"};
  auto const set = eval::encode_set(context, Pixels{&batches}, pictures, config);
  eval::require_feature_set("test", set);
  CHECK(set.values == config.columns->gather({pictures.units(), 5, 4}));
  CHECK(set.labels == pictures.labels());
  CHECK(set.subsets == config.columns->subsets());
  CHECK_THAT(out.str(), test::contains("z  ") && test::contains("100%  5/5"));

  std::vector<Index> starts;
  eval::encode_batches(context, Pixels{&batches}, pictures, config, [&](Index from, eval::Features const& z) {
    starts.push_back(from);
    CHECK(z.dims == 2);
    CHECK(z.row(0)[0] == set.values[static_cast<std::size_t>(2 * from)]);
  });
  CHECK(starts == std::vector<Index>{0, 2, 4});

  CHECK(eval::encode_set(context, Pixels{&batches}, pictures).dims == 4);
  CHECK_THROWS_AS(eval::encode_set(context, Pixels{&batches}, pictures.slice(0, 0)), ShapeError);
  config.columns = eval::Columns::all(5);
  CHECK_THROWS_AS(eval::encode(context, Pixels{&batches}, pictures, config), ShapeError);
}

TEST_CASE("encode averages features over a picture and its mirror image", "[eval][encode]") {
  std::vector<std::uint8_t> const pixels{0, 255, 10, 30, 1, 2, 200, 100};
  auto const pictures = data::Dataset::from(pixels, {2, 2, 2, 1}, std::vector<int>{1, 0});
  Pixels::Backend::Context context;
  std::vector<Index> batches;
  auto const z = eval::encode(context, Pixels{&batches}, pictures, {.batch = 2, .average_flips = true});
  auto const unit = [&](std::size_t i) { return data::unit_from_pixel(pixels[i]); };
  REQUIRE(z.size() == 8);
  for (std::size_t left = 0; left < 8; left += 2)
    for (std::size_t at : {left, left + 1}) CHECK(z[at] == (unit(left) + unit(left + 1)) / 2);
  CHECK(batches == std::vector<Index>{2, 2});
}

TEST_CASE("ranks share the batches, and all have all features", "[eval][encode]") {
  std::vector<std::uint8_t> pixels(7 * 4);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  auto const pictures = data::Dataset::from(pixels, {7, 2, 2, 1});
  for (int const size : {2, 3, 4}) {  // of four ranks one has nothing to do
    std::vector<std::vector<float>> values(static_cast<std::size_t>(size));
    std::vector<std::vector<Index>> batches(static_cast<std::size_t>(size));
    test::on_ranks(size, [&](dist::ThreadRank& rank) {
      Pixels::Backend::Context context;
      auto const r = static_cast<std::size_t>(rank.rank());
      values[r] = eval::encode(context, Pixels{&batches[r]}, pictures,
                               {.batch = 3, .ranks = dist::CommunicatorRef{rank}});
    });
    for (auto const& all : values) CHECK(all == pictures.units());
    std::vector<Index> joined;
    for (auto const& of_rank : batches) joined.insert(joined.end(), of_rank.begin(), of_rank.end());
    CHECK(joined == std::vector<Index>{3, 3, 1});
  }
}
