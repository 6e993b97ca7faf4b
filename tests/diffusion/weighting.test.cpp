#include <algorithm>
#include <cmath>
#include <numeric>

#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/weighting.hpp>

using namespace diffsiam::diffusion;
using Catch::Matchers::WithinRel;
using diffsiam::RangeError;
using diffsiam::test::contains;

namespace {

struct Late {
  double operator()(NoiseSchedule const&, int t) const { return t > 500 ? 1 : 0; }
};
struct NotAWeighting {
  double operator()(int) const { return 1; }
};
static_assert(Weighting<Late>);
static_assert(!Weighting<NotAWeighting>);

}  // namespace

TEST_CASE("the default weighting peaks at t = 475", "[weighting]") {
  auto const schedule = NoiseSchedule::linear();
  auto const table = weight_table(schedule, SnrPower{});
  auto const greatest = std::max_element(table.begin(), table.end());
  CHECK(greatest - table.begin() == 475);
  CHECK_THAT(*greatest, WithinRel(0.7224666527059047, 1e-12));
  CHECK_THAT(std::accumulate(table.begin(), table.end(), 0.0) / 1000, WithinRel(0.4926742067421936, 1e-12));
  CHECK_THAT(table[0], WithinRel(0.00025118613115145957, 1e-12));
  CHECK_THAT(table[999], WithinRel(0.36356118385849895, 1e-12));
}

TEST_CASE("the other weightings follow their formulas", "[weighting]") {
  auto const schedule = NoiseSchedule::linear();
  for (int t : {0, 50, 200, 999}) {
    double const snr = schedule.snr()[static_cast<std::size_t>(t)];
    CHECK(ConstantWeight{2}(schedule, t) == 2);
    CHECK_THAT(MinSnr{}(schedule, t), WithinRel(std::min(snr, 5.0) / snr, 1e-14));
    CHECK_THAT(P2{}(schedule, t), WithinRel(1 / (1 + snr), 1e-14));
    CHECK_THAT((P2{2, 0.5}(schedule, t)), WithinRel(1 / std::sqrt(2 + snr), 1e-14));
  }
}

TEST_CASE("every weighting is finite where the SNR is zero", "[weighting]") {
  auto const schedule = NoiseSchedule::linear(100).with_zero_terminal_snr();
  CHECK(SnrPower{}(schedule, 99) == 0);
  CHECK(MinSnr{}(schedule, 99) == 1);
  CHECK(P2{}(schedule, 99) == 1);
  CHECK_THROWS_WITH(weight_table(schedule, SnrPower{-1}),
                    contains("weight_table") && contains("lambda = inf at t = 99"));
  CHECK_THROWS_AS(weight_table(schedule, P2{0, 1}), diffsiam::ConfigError);
  CHECK_THROWS_AS(weight_table(schedule, ConstantWeight{-1}), diffsiam::ConfigError);
}

TEST_CASE("a user's own weighting fills a table", "[weighting]") {
  auto const table = weight_table(NoiseSchedule::linear(), Late{});
  CHECK(table[500] == 0);
  CHECK(table[501] == 1);
}

TEST_CASE("a weighting refuses a time-step outside the schedule", "[weighting]") {
  auto const schedule = NoiseSchedule::linear(10);
  CHECK_THROWS_AS(SnrPower{}(schedule, 10), RangeError);
  CHECK_THROWS_WITH(P2{}(schedule, -1), contains("P2") && contains("[0, 10)") && contains("-1"));
  CHECK_THROWS_AS(MinSnr{}(schedule, 10), RangeError);
  CHECK_THROWS_AS(ConstantWeight{}(schedule, 10), RangeError);
}
