// Factors hidden in known subsets are found there.
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/spearman.hpp>
#include <diffsiam/eval/subset_factor_map.hpp>
#include <diffsiam/functional/random.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;

namespace {

/// Codes of four subsets of 2, 3, 4 and 3 dims of noise. Factor 0 (3 values) stands in subset 2, factor 1 (2
/// values) in subset 0, half of factor 2 (4 values, a = 2 p + q) in subset 1 (p) and half in subset 3 (q).
struct Codes {
  static constexpr Index dims = 12;
  std::vector<float> values;
  std::vector<int> factors;
  Index count;

  Codes(Index samples, std::uint64_t seed) : count(samples) {
    Rng const rng{.seed = seed};
    for (Index i = 0; i < count; ++i) {
      auto const element = static_cast<std::uint64_t>(i);
      int const a = static_cast<int>(rng.with_stream(1).below(3, element));
      int const b = static_cast<int>(rng.with_stream(2).below(2, element));
      int const c = static_cast<int>(rng.with_stream(3).below(4, element));
      factors.insert(factors.end(), {a, b, c});
      float row[dims];
      for (Index j = 0; j < dims; ++j)
        row[j] = functional::normals(rng.words(static_cast<std::uint64_t>(i * dims + j)))[0];
      row[5 + a] += 8;
      row[1] += static_cast<float>(8 * b);
      row[3] += static_cast<float>(8 * (c / 2));
      row[10] += static_cast<float>(8 * (c % 2));
      values.insert(values.end(), row, row + dims);
    }
  }
  [[nodiscard]] Features features() const { return {values, count, dims}; }
  [[nodiscard]] Factored factored() const { return {features(), {factors, count, 3}}; }
};

DimGroups const groups{{2, 5, 9, 12}};
std::vector<double> const steps{100, 300, 500, 800};

}  // namespace

TEST_CASE("Factors are found in the subsets that hold them") {
  Codes const train{1200, 1}, test{600, 2};
  auto const map = subset_factor_map(train.factored(), test.factored(), groups);
  REQUIRE(map.subsets == 4);
  REQUIRE(map.factors == 3);
  for (Index subset = 0; subset < 4; ++subset) {
    CAPTURE(subset);
    auto const at = static_cast<std::size_t>(subset);
    double const a = map.alone_of(0)[at], b = map.alone_of(1)[at], c = map.alone_of(2)[at];
    if (subset == 2) CHECK(a > 0.97);
    if (subset != 2) CHECK(std::abs(a) < 0.12);
    if (subset == 0) CHECK(b > 0.97);
    if (subset != 0) CHECK(std::abs(b) < 0.12);
    // One of two halves: right half of the time, where chance is a quarter.
    if (subset % 2 == 1) CHECK(c == Approx(1.0 / 3).margin(0.08));
    if (subset % 2 == 0) CHECK(std::abs(c) < 0.12);
    CHECK((map.prefix_of(0)[at] > 0.97) == (subset >= 2));
    CHECK(map.prefix_of(1)[at] > 0.97);
    CHECK((map.prefix_of(2)[at] > 0.8) == (subset == 3));
  }
  CHECK(map.chance[0] == Approx(1.0 / 3).margin(0.03));
  CHECK(map.chance[1] == Approx(0.5).margin(0.03));

  auto const shape = found_step(map.prefix_of(0), steps), colour = found_step(map.prefix_of(1), steps),
             both = found_step(map.prefix_of(2), steps);
  REQUIRE((shape && colour && both));
  CHECK(shape->half == 500);
  CHECK(shape->mean == Approx(500).margin(40));
  CHECK(colour->half == 100);
  CHECK(colour->mean == Approx(100).margin(20));
  CHECK(both->mean > 500);
  CHECK(both->mean < 700);
  // In the order that theory said.
  CHECK(spearman_r(std::vector<double>{300, 120, 700},
                   std::vector<double>{shape->mean, colour->mean, both->mean}) == 1);
}

TEST_CASE("The score is accuracy beyond the most frequent training value") {
  // One dim that says the factor exactly in training; in the test one of four is wrong. Chance is 3/4.
  std::vector<float> const codes{0, 0, 0, 1}, unseen{0, 0, 1, 1};
  std::vector<int> const values{0, 0, 0, 1}, truth{0, 0, 1, 0};
  Factored const train{{codes, 4, 1}, {values, 4, 1}};
  auto const map = subset_factor_map(train, {{unseen, 4, 1}, {truth, 4, 1}}, {{1}});
  CHECK(map.chance[0] == 0.75);
  CHECK(map.alone[0] == Approx((0.75 - 0.75) / 0.25).margin(1e-12));
  CHECK(subset_factor_map(train, train, {{1}}).prefix[0] == 1);
}

TEST_CASE("Levels that stand in line along one dim are all named") {
  std::vector<float> codes;
  std::vector<int> levels;
  for (int i = 0; i < 400; ++i) {
    levels.push_back(i % 8);
    float const noise = functional::normals(Rng{.seed = 3}.words(static_cast<std::uint64_t>(i)))[0];
    codes.push_back(static_cast<float>(i % 8) + 0.1F * noise);
  }
  Factored const data{{codes, 400, 1}, {levels, 400, 1}};
  CHECK(subset_factor_map(data, data, {{1}}).alone[0] > 0.99);
}

TEST_CASE("The found step weighs steps by gains and halves the last score") {
  using Curve = std::vector<double>;
  auto const found = found_step(Curve{0.2, 0.1, 0.5, 0.8}, steps);
  REQUIRE(found);
  // The greatest so far gains .2, 0, .3, .3.
  CHECK(found->mean == Approx((0.2 * 100 + 0.3 * 500 + 0.3 * 800) / 0.8));
  CHECK(found->half == 500);
  auto const late = found_step(Curve{-0.3, -0.1, 0, 0.6}, steps);
  REQUIRE(late);
  CHECK(late->mean == 800);
  CHECK(late->half == 800);
  CHECK_FALSE(found_step(Curve{0.1, 0, 0, 0}, steps));
  CHECK_FALSE(found_step(Curve{0, 0, 0, -0.1}, steps));
  CHECK_THROWS_WITH(found_step(Curve{1}, steps), contains("found_step") && contains("4 for 1"));
}

TEST_CASE("Ends and centres come from the partition") {
  auto const partition =
      encoder::TimestepPartition::staged({.timesteps = 10, .subsets = 3, .dims = 6}, {{4, 3}, {10, 3}});
  // First steps 0, 4, 7.
  CHECK(subset_centres(partition) == std::vector<double>{1.5, 5, 8});
  CHECK(subset_groups(partition).ends == std::vector<Index>{3, 4, 6});
}

TEST_CASE("The map is the same for any number of threads, and refuses what does not fit") {
  Codes const train{300, 1}, test{100, 2};
  auto const map = [&](std::vector<Index> cuts, ThreadPool* pool = nullptr) {
    return subset_factor_map(train.factored(), test.factored(), {std::move(cuts)}, pool);
  };
  ThreadPool pool{3};
  auto const alone = map(groups.ends), together = map(groups.ends, &pool);
  CHECK(alone.prefix == together.prefix);
  CHECK(alone.alone == together.alone);
  CHECK_THROWS_AS(alone.alone_of(3), RangeError);
  CHECK_THROWS_WITH(map({2, 5}), contains("end at 12") && contains("5"));
  CHECK_THROWS_WITH(map({5, 5, 12}), contains("ascend") && contains("5 after 5"));
  CHECK_THROWS_AS(map({}), ConfigError);
  std::vector<int> two(200);
  for (std::size_t i = 0; i < two.size(); ++i) two[i] = static_cast<int>(i / 2 % 2);
  CHECK_THROWS_AS(subset_factor_map(train.factored(), {test.features(), {two, 100, 2}}, groups), ShapeError);
  std::vector<int> const constant(300);
  CHECK_THROWS_WITH(subset_factor_map(train.factored(), {test.features(), {constant, 100, 3}}, groups),
                    contains("at least two levels of factor 0"));
  Codes const few{12, 1};
  CHECK_THROWS_WITH(subset_factor_map(few.factored(), test.factored(), groups),
                    contains("more training samples than the 12 dims") && contains("got 12"));
}
