// Partitions suggested by synthetic gains.
#include <cmath>
#include <limits>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/model/suggest_partition.hpp>

using namespace diffsiam;
using encoder::TimestepPartition;
using model::suggest_partition;
using model::suggest_stages;
using test::contains;

namespace {

using Gains = std::vector<double>;

std::vector<int> const every_50{25,  75,  125, 175, 225, 275, 325, 375, 425, 475,
                                525, 575, 625, 675, 725, 775, 825, 875, 925, 975};

/// A hump of the given width around `centre`, on every_50.
Gains hump(double centre, double width) {
  Gains gains;
  for (int const t : every_50) gains.push_back(std::exp(-std::pow((t - centre) / width, 2)));
  return gains;
}

std::vector<int> widths(TimestepPartition const& partition) {
  std::vector<int> result;
  for (int i = 0; i < partition.subsets(); ++i) result.push_back(partition.subset_dims(i).size());
  return result;
}

}  // namespace

TEST_CASE("A flat curve gives uniform widths") {
  Gains const flat(every_50.size(), 0.01);
  TimestepPartition::Config const config{.timesteps = 1000, .subsets = 10, .dims = 120};
  CHECK(suggest_partition(config, every_50, flat) == TimestepPartition::uniform(config));
  CHECK(suggest_partition(config, every_50, flat, 1) == TimestepPartition::uniform(config));
  CHECK(suggest_partition(config, std::vector<int>{500}, Gains{3}) == TimestepPartition::uniform(config));
  auto const stages = suggest_stages(config, every_50, flat, 5);
  REQUIRE(stages.size() == 5);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    CHECK(stages[s].end_step == 200 * (static_cast<int>(s) + 1));
    CHECK(stages[s].dims == 24);
  }
}

TEST_CASE("Stages and dims follow a curve as worked out by hand") {
  // T = 8, k = 4: masses 1 + 1, 1 + 1, 6 + 6, 0 + 0; all 16. Half of it, 8, is nearer to 4 (after subset 1)
  // than to 16: stages of 4/16 and 12/16 of 32 dims.
  std::vector<int> const steps{0, 1, 2, 3, 4, 5, 6, 7};
  Gains const gains{1, 1, 1, 1, 6, 6, 0, -5};
  TimestepPartition::Config const config{.timesteps = 8, .subsets = 4, .dims = 32};
  auto const stages = suggest_stages(config, steps, gains, 2);
  REQUIRE(stages.size() == 2);
  CHECK(stages[0].end_step == 4);
  CHECK(stages[0].dims == 8);
  CHECK(stages[1].end_step == 8);
  CHECK(stages[1].dims == 24);
  CHECK(widths(suggest_partition(config, steps, gains, 2)) == std::vector<int>{4, 4, 12, 12});
  // One a subset: the last has no gain and gets the least there is, the others 2/16, 2/16, 12/16 of 31:
  // 3.875, 3.875, 23.25.
  CHECK(widths(suggest_partition(config, steps, gains, 9)) == std::vector<int>{4, 4, 23, 1});
}

TEST_CASE("Between the given steps gains are linear, beyond them constant") {
  // g = 2 2 2 1 0 0: masses 6 and 1.
  TimestepPartition::Config const config{.timesteps = 6, .subsets = 2, .dims = 70};
  CHECK(widths(suggest_partition(config, std::vector<int>{2, 4}, Gains{2, 0})) == std::vector<int>{60, 10});
}

TEST_CASE("Most dims go where the gain is") {
  for (double const centre : {75.0, 275.0, 525.0, 925.0}) {
    CAPTURE(centre);
    auto const partition =
        suggest_partition({.timesteps = 1000, .subsets = 20, .dims = 200}, every_50, hump(centre, 40));
    int near = 0;
    for (int i = 0; i < partition.subsets(); ++i) {
      if (std::abs(partition.first_step(i) + 25 - centre) < 90) near += partition.subset_dims(i).size();
    }
    CHECK(near > 150);
  }
  // All in one subset: it gets all but one dim for each of the others.
  Gains one(20, 0.0);
  one[7] = 1;
  std::vector<int> const inside{345, 350, 375, 399, 400};
  auto const partition =
      suggest_partition({.timesteps = 1000, .subsets = 20, .dims = 200}, inside, Gains{0, 0, 1, 0, 0});
  CHECK(partition.subset_dims(7).size() == 181);
}

TEST_CASE("The suggestion is valid for any subsets, dims and stages") {
  std::vector<Gains> const curves{Gains(20, 1.0), hump(200, 80), hump(975, 1), hump(25, 1), hump(500, 3)};
  for (Gains const& gains : curves)
    for (int const timesteps : {1000, 983, 976})
      for (int const subsets : {1, 2, 3, 7, 16, 64, 500})
        for (int const extra : {0, 1, 5, 448})
          for (int const stages : {1, 2, 5, 16, 100}) {
            TimestepPartition::Config const config{
                .timesteps = timesteps, .subsets = subsets, .dims = subsets + extra};
            // staged() throws for an empty subset, a stage without one, or dims that do not sum.
            auto const partition = suggest_partition(config, every_50, gains, stages);
            REQUIRE(partition.end(subsets - 1) == config.dims);
            REQUIRE(suggest_stages(config, every_50, gains, stages).size() ==
                    static_cast<std::size_t>(std::min(stages, subsets)));
          }
}

TEST_CASE("The unit of gains does not matter, and harm counts as nothing") {
  TimestepPartition::Config const config{.timesteps = 1000, .subsets = 16, .dims = 64};
  Gains gains = hump(300, 150);
  auto const expected = suggest_partition(config, every_50, gains);
  for (double const unit : {1e-300, 0.125, 1e307}) {
    Gains scaled = gains;
    for (double& gain : scaled) gain *= unit;
    CHECK(suggest_stages(config, every_50, scaled).size() == 5);
    if (unit == 0.125) CHECK(suggest_partition(config, every_50, scaled) == expected);
  }
  gains[17] = gains[18] = 0;
  auto const without = suggest_partition(config, every_50, gains);
  gains[17] = gains[18] = -0.3;
  CHECK(suggest_partition(config, every_50, gains) == without);
}

TEST_CASE("A suggestion refuses gains that say nothing") {
  TimestepPartition::Config const config{.timesteps = 1000, .subsets = 4, .dims = 8};
  std::vector<int> const two{100, 200}, none;
  CHECK_THROWS_WITH(suggest_partition(config, two, Gains{1}), contains("1 gains for 2 time-steps"));
  CHECK_THROWS_AS(suggest_partition(config, none, Gains{}), ShapeError);
  CHECK_THROWS_WITH(suggest_partition(config, two, Gains{0, -1}),
                    contains("suggest_partition: expected a gain above 0") && contains("uniform"));
  CHECK_THROWS_WITH(suggest_partition(config, two, Gains{0, std::numeric_limits<double>::quiet_NaN()}),
                    contains("finite gains") && contains("t = 200"));
  CHECK_THROWS_AS(suggest_partition(config, two, Gains{1, INFINITY}), NumericError);
  CHECK_THROWS_WITH(suggest_partition(config, std::vector<int>{200, 100}, Gains{1, 1}),
                    contains("ascending") && contains("100 after 200"));
  CHECK_THROWS_WITH(suggest_partition(config, std::vector<int>{200, 1000}, Gains{1, 1}),
                    contains("[0, 1000)"));
  CHECK_THROWS_AS(suggest_partition(config, two, Gains{1, 1}, 0), ConfigError);
  CHECK_THROWS_WITH(suggest_partition({.timesteps = 1000, .subsets = 9, .dims = 8}, two, Gains{1, 1}),
                    contains("9 subsets") && contains("8 dims"));
}
