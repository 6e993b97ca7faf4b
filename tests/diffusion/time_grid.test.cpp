#include <algorithm>
#include <set>
#include <type_traits>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/time_grid.hpp>

using namespace diffsiam::diffusion;
using Catch::Matchers::WithinRel;
using diffsiam::ConfigError;
using diffsiam::test::contains;

namespace {

std::vector<int> steps(TimeGrid const& grid) {
  return {grid.steps().begin(), grid.steps().end()};
}

std::vector<int> told(std::vector<Hop> const& hops) {
  std::vector<int> result;
  for (auto const& hop : hops) result.push_back(hop.t);
  return result;
}

// Each hop begins where the one before ended, at the noise level of the step it is told; only the last says
// so.
void check_chain(NoiseSchedule const& schedule, std::vector<Hop> const& hops) {
  for (std::size_t i = 0; i < hops.size(); ++i) {
    CHECK(hops[i].abar_from == schedule.abar(hops[i].t));
    CHECK(hops[i].last == (i + 1 == hops.size()));
    if (i > 0) CHECK(hops[i].abar_from == hops[i - 1].abar_to);
  }
}

}  // namespace

TEST_CASE("linspace visits floor(i 999 / N)", "[grid]") {
  CHECK(steps(TimeGrid::linspace(1000, 10)) ==
        std::vector<int>{0, 99, 199, 299, 399, 499, 599, 699, 799, 899, 999});
  CHECK(steps(TimeGrid::linspace(1000, 1)) == std::vector<int>{0, 999});
  CHECK(TimeGrid::linspace(1000, 7).steps().size() == 8);
  CHECK(TimeGrid::linspace(1000, 7).step_count() == 7);
}

TEST_CASE("The steps of a grid that was made on the spot outlive it", "[grid]") {
  static_assert(std::is_same_v<decltype(TimeGrid::linspace(1000, 1).steps()), std::vector<int>>);
  std::vector<int> visited;
  for (int const step : TimeGrid::linspace(1000, 10).steps()) visited.push_back(step);
  CHECK(visited == steps(TimeGrid::linspace(1000, 10)));
}

TEST_CASE("leading begins at 0 and trailing ends at T - 1", "[grid]") {
  CHECK(steps(TimeGrid::leading(1000, 10)) ==
        std::vector<int>{0, 100, 200, 300, 400, 500, 600, 700, 800, 900});
  CHECK(steps(TimeGrid::trailing(1000, 10)) ==
        std::vector<int>{99, 199, 299, 399, 499, 599, 699, 799, 899, 999});
  CHECK(steps(TimeGrid::leading(6, 6)) == steps(TimeGrid::trailing(6, 6)));
}

TEST_CASE("linspace decodes from abar(T-1) to abar(0) and encodes back", "[grid]") {
  auto const schedule = NoiseSchedule::linear();
  auto const grid = TimeGrid::linspace(1000, 4);  // 0 249 499 749 999
  auto const decode = grid.decode(schedule);
  CHECK(told(decode) == std::vector<int>{999, 749, 499, 249});
  CHECK(decode.front().abar_from == schedule.abar(999));
  CHECK(decode.back() == Hop{249, schedule.abar(249), schedule.abar(0), true});
  check_chain(schedule, decode);

  auto const encode = grid.encode(schedule);
  CHECK(told(encode) == std::vector<int>{0, 249, 499, 749});
  CHECK(encode.front() == Hop{0, schedule.abar(0), schedule.abar(249), false});
  CHECK(encode.back().abar_to == schedule.abar(999));
  check_chain(schedule, encode);
}

TEST_CASE("leading decodes to abar 1 and encodes to where decoding begins", "[grid]") {
  auto const schedule = NoiseSchedule::linear();
  auto const grid = TimeGrid::leading(1000, 4);
  auto const decode = grid.decode(schedule);
  CHECK(told(decode) == std::vector<int>{750, 500, 250, 0});
  CHECK(decode.back() == Hop{0, schedule.abar(0), 1.0, true});
  check_chain(schedule, decode);

  auto const encode = grid.encode(schedule);
  CHECK(told(encode) == std::vector<int>{0, 250, 500});
  CHECK(encode.back().abar_to == decode.front().abar_from);
  check_chain(schedule, encode);

  auto const published = grid.encode(schedule, EncodeEnd::at_zero);
  CHECK(told(published) == std::vector<int>{0, 250, 500, 750});
  CHECK(published.back() == Hop{750, schedule.abar(750), 0.0, true});
  check_chain(schedule, published);
}

TEST_CASE("trailing hops as leading does", "[grid]") {
  auto const schedule = NoiseSchedule::linear();
  auto const grid = TimeGrid::trailing(1000, 4);  // 249 499 749 999
  auto const decode = grid.decode(schedule);
  CHECK(told(decode) == std::vector<int>{999, 749, 499, 249});
  CHECK(decode.back() == Hop{249, schedule.abar(249), 1.0, true});
  check_chain(schedule, decode);
  CHECK(told(grid.encode(schedule)) == std::vector<int>{249, 499, 749});
  CHECK(grid.encode(schedule).back().abar_to == schedule.abar(999));
  CHECK(grid.encode(schedule, EncodeEnd::at_zero).back() == Hop{999, schedule.abar(999), 0.0, true});
}

TEST_CASE("one step is enough for every grid", "[grid]") {
  auto const schedule = NoiseSchedule::linear();
  CHECK(TimeGrid::linspace(1000, 1).decode(schedule) ==
        std::vector<Hop>{{999, schedule.abar(999), schedule.abar(0), true}});
  CHECK(TimeGrid::leading(1000, 1).decode(schedule) == std::vector<Hop>{{0, schedule.abar(0), 1.0, true}});
  CHECK(TimeGrid::leading(1000, 1).encode(schedule).empty());
  CHECK(TimeGrid::trailing(1000, 1).decode(schedule) ==
        std::vector<Hop>{{999, schedule.abar(999), 1.0, true}});
}

TEST_CASE("respaced betas are those of the chain that visits the grid only", "[grid]") {
  auto const schedule = NoiseSchedule::linear();
  auto const betas = TimeGrid::linspace(1000, 10).respaced_betas(schedule);
  REQUIRE(betas.size() == 11);
  CHECK_THAT(betas[0], WithinRel(9.999999999998899e-05, 1e-12));
  CHECK_THAT(betas[1], WithinRel(0.10289214353939402, 1e-12));
  CHECK_THAT(betas[2], WithinRel(0.2653008064447776, 1e-12));
  CHECK_THAT(betas[9], WithinRel(0.8203721760476489, 1e-12));
  CHECK_THAT(betas[10], WithinRel(0.8533523594219765, 1e-12));
}

TEST_CASE("every N that a grid takes is met exactly, and every other is an error", "[grid]") {
  for (auto kind : {GridKind::linspace, GridKind::leading, GridKind::trailing}) {
    for (int n = -1; n <= 62; ++n) {
      bool const divides = n >= 1 && n <= 60 && 60 % n == 0;
      bool const meets = kind == GridKind::linspace ? n >= 1 && n <= 59 : divides;
      INFO(to_string(kind) << " with " << n);
      if (!meets) {
        CHECK_THROWS_AS(TimeGrid::make(kind, 60, n), ConfigError);
        continue;
      }
      auto const grid = TimeGrid::make(kind, 60, n);
      CHECK(grid.kind() == kind);
      CHECK(grid.decode(NoiseSchedule::linear(60)).size() == static_cast<std::size_t>(n));
      auto const list = steps(grid);
      CHECK(std::set<int>(list.begin(), list.end()).size() == list.size());
      CHECK(std::is_sorted(list.begin(), list.end()));
      CHECK((list.front() >= 0 && list.back() < 60));
    }
  }
}

TEST_CASE("a grid says what it cannot meet", "[grid]") {
  CHECK_THROWS_WITH(TimeGrid::leading(1000, 300),
                    contains("TimeGrid::leading") && contains("divides 1000") && contains("300"));
  CHECK_THROWS_WITH(TimeGrid::trailing(1000, 1001), contains("1 to 1000 steps") && contains("1001"));
  CHECK_THROWS_WITH(TimeGrid::linspace(1000, 1000), contains("1 to 999 steps") && contains("got 1000"));
  CHECK_THROWS_WITH(TimeGrid::linspace(1, 1), contains("at least 2 time-steps"));
  auto const grid = TimeGrid::linspace(1000, 10);
  auto const other = NoiseSchedule::linear(500);
  CHECK_THROWS_WITH(grid.decode(other), contains("TimeGrid::decode") && contains("1000") && contains("500"));
  CHECK_THROWS_AS(grid.encode(other), ConfigError);
  CHECK_THROWS_AS(grid.respaced_betas(other), ConfigError);
  CHECK_THROWS_WITH(grid.encode(NoiseSchedule::linear(), EncodeEnd::at_zero), contains("linspace"));
}
