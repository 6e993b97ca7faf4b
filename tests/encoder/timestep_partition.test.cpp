#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/encoder/timestep_partition.hpp>

using namespace diffsiam::encoder;
using diffsiam::ConfigError;
using diffsiam::RangeError;
using diffsiam::test::contains;

namespace {

constexpr auto four = TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 16});
static_assert(four.subset_of(0) == 0 && four.subset_of(249) == 0 && four.subset_of(250) == 1);
static_assert(four.subset_of(999) == 3);
static_assert(four.revealed(250) == Dims{0, 8} && four.newest(250) == Dims{4, 8});
static_assert(four.preceding(250) == Dims{0, 4} && four.preceding(0).size() == 0);
static_assert(four.first_step(1) == 250);

constexpr auto published = TimestepPartition::published();
static_assert(published.subsets() == 64 && published.dims() == 512 && published.timesteps() == 1000);
static_assert(published == TimestepPartition::published() &&
              !(published == TimestepPartition::uniform({.timesteps = 1000, .subsets = 64, .dims = 512})));
static_assert(TimestepPartition::uniform({.dims = 64}).revealed(0) == Dims{0, 64});

std::vector<int> ends(TimestepPartition const& partition) {
  std::vector<int> result;
  for (int i = 0; i < partition.subsets(); ++i) result.push_back(partition.end(i));
  return result;
}

// Runs at run time what would not compile as a constant.
auto uniform(int timesteps, int subsets, int dims) {
  return TimestepPartition::uniform({.timesteps = timesteps, .subsets = subsets, .dims = dims});
}

}  // namespace

TEST_CASE("the published widths have the listed ends", "[partition]") {
  std::vector<int> expected{2, 4, 6, 10, 18, 26, 35};
  for (int end = 60; end <= 335; end += 25) expected.push_back(end);
  for (int end = 362; end <= 450; end += 8) expected.push_back(end);
  for (int end = 462; end <= 493; ++end) expected.push_back(end);
  expected.push_back(512);
  CHECK(ends(published) == expected);

  std::vector<int> counts;
  int before = 0;
  for (int width : {10, 35, 362, 462, 512}) {
    auto const found = std::find(expected.begin(), expected.end(), width);
    REQUIRE(found != expected.end());
    counts.push_back(static_cast<int>(found - expected.begin()) + 1 - before);
    before += counts.back();
  }
  CHECK(counts == std::vector<int>{4, 3, 13, 12, 32});
}

TEST_CASE("time-steps map to subsets in integers, whatever does not divide", "[partition]") {
  for (auto [timesteps, subsets] : {std::pair{1000, 64}, {1000, 7}, {10, 10}, {999, 1}, {1000, 1000}}) {
    auto const partition = uniform(timesteps, subsets, 1024);
    for (int t = 0; t < timesteps; ++t) {
      int const i = partition.subset_of(t);
      REQUIRE(i == t * subsets / timesteps);
      REQUIRE(partition.first_step(i) <= t);
      if (i + 1 < subsets) REQUIRE(t < partition.first_step(i + 1));
    }
  }
}

TEST_CASE("the revealed dims are the preceding ones and the newest", "[partition]") {
  auto const partition = uniform(1000, 7, 60);  // ends floor(60 (i+1)/7)
  CHECK(ends(partition) == std::vector<int>{8, 17, 25, 34, 42, 51, 60});
  for (int t = 0; t < 1000; ++t) {
    CHECK(partition.revealed(t).begin == 0);
    CHECK(partition.revealed(t).end == partition.newest(t).end);
    CHECK(partition.preceding(t).end == partition.newest(t).begin);
    CHECK(partition.newest(t).size() > 0);
  }
  CHECK(partition.revealed(999) == Dims{0, 60});
  CHECK(partition.subset_dims(1) == Dims{8, 17});
}

TEST_CASE("stages divide their dims and give the remainder to the last subset", "[partition]") {
  auto const partition =
      TimestepPartition::staged({.timesteps = 10, .subsets = 5, .dims = 12}, {{6, 8}, {10, 4}});
  CHECK(ends(partition) == std::vector<int>{2, 4, 8, 10, 12});
  // A subset that begins inside a stage belongs to it, even where it ends beyond: steps 4 and 5.
  auto const across =
      TimestepPartition::staged({.timesteps = 10, .subsets = 5, .dims = 12}, {{5, 9}, {10, 3}});
  CHECK(ends(across) == std::vector<int>{3, 6, 9, 10, 12});
  CHECK(TimestepPartition::staged({.timesteps = 10, .subsets = 3, .dims = 7}, {{10, 7}}).end(0) == 2);
}

TEST_CASE("a partition out of proportion is a ConfigError", "[partition]") {
  CHECK_THROWS_AS(uniform(1000, 0, 16), ConfigError);
  CHECK_THROWS_WITH(uniform(1000, -3, 16), contains("at least 1 subset") && contains("-3"));
  CHECK_THROWS_WITH(uniform(10, 11, 16),
                    contains("TimestepPartition") && contains("10 time-steps") && contains("11"));
  CHECK_THROWS_WITH(uniform(1000, 17, 16), contains("16 dims") && contains("17 subsets"));
  CHECK_THROWS_WITH(uniform(5000, 2000, 4000), contains("1024"));
  CHECK_THROWS_AS(uniform(1000, 1, 0), ConfigError);
}

TEST_CASE("stages that do not fit are a ConfigError", "[partition]") {
  auto const staged = [](std::vector<PartitionStage> const& stages) {
    return TimestepPartition::staged({.timesteps = 100, .subsets = 10, .dims = 20}, stages);
  };
  CHECK_NOTHROW(staged({{50, 10}, {100, 10}}));
  CHECK_THROWS_AS(staged({{50, 10}, {90, 10}}), ConfigError);
  CHECK_THROWS_WITH(staged({{50, 10}, {90, 10}}), contains("T = 100") && contains("90"));
  CHECK_THROWS_WITH(staged({{50, 10}, {101, 10}}), contains("T = 100") && contains("101"));
  CHECK_THROWS_WITH(staged({}), contains("T = 100"));
  CHECK_THROWS_WITH(staged({{50, 10}, {50, 0}, {100, 10}}), contains("stage 1") && contains("after step 50"));
  CHECK_THROWS_WITH(staged({{0, 10}, {100, 10}}), contains("stage 0"));
  CHECK_THROWS_WITH(staged({{50, 10}, {100, 9}}), contains("the 20 of z") && contains("19"));
  CHECK_THROWS_WITH(staged({{50, 4}, {100, 16}}), contains("5 subsets of stage 0") && contains("4 dims"));
  CHECK_THROWS_WITH(staged({{50, -1}, {100, 21}}), contains("-1 dims"));
  CHECK_THROWS_WITH(staged({{51, 10}, {60, 2}, {100, 8}}), contains("stage 1") && contains("none"));
}

TEST_CASE("a partition may have any ascending ends", "[partition]") {
  constexpr std::array ends{1, 4, 5};
  constexpr auto partition = TimestepPartition::from_ends(20, ends);
  CHECK(partition.subsets() == 3);
  CHECK(partition.dims() == 5);
  CHECK(partition.timesteps() == 20);
  CHECK(partition.subset_dims(1) == Dims{1, 4});
  auto const from = [](int timesteps, std::vector<int> const& list) {
    return TimestepPartition::from_ends(timesteps, list);
  };
  auto const wide = TimestepPartition::published();
  std::vector<int> all;
  for (int i = 0; i < wide.subsets(); ++i) all.push_back(wide.end(i));
  CHECK(from(1000, all) == wide);
  CHECK_THROWS_WITH(from(20, {1, 4, 4}), contains("subset 2 to end after dim 4") && contains("the end 4"));
  CHECK_THROWS_WITH(from(20, {0, 4}), contains("subset 0 to end after dim 0"));
  CHECK_THROWS_WITH(from(20, {}), contains("at least 1 subset"));
  CHECK_THROWS_WITH(from(2, {1, 2, 3}), contains("the 2 time-steps") && contains("3 subsets"));
  CHECK_THROWS_WITH(from(20, std::vector<int>(1025, 1)), contains("at most 1024 subsets"));
}

TEST_CASE("a gradient mode has a name", "[partition]") {
  CHECK(to_string(GradientMode::joint) == "joint");
  CHECK(to_string(GradientMode::stop_preceding) == "stop_preceding");
  CHECK(to_string(GradientMode::dual) == "dual");
}

TEST_CASE("a partition refuses steps and subsets that it does not have", "[partition]") {
  CHECK_THROWS_AS(four.subset_of(1000), RangeError);
  CHECK_THROWS_AS(four.revealed(-1), RangeError);
  CHECK_THROWS_WITH(four.newest(1000), contains("[0, 1000)") && contains("got 1000"));
  CHECK_THROWS_AS(four.begin(4), RangeError);
  CHECK_THROWS_AS(four.end(-1), RangeError);
  CHECK_THROWS_WITH(four.first_step(4), contains("[0, 4)"));
}
