// Expected subsets are those of a numpy script that sums the gains of the head of telling_gain.hpp over
// windows and uses scipy's linear_sum_assignment; eight factors, sixteen windows.
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/attribute_loss.hpp>
#include <diffsiam/diffusion/factor_assignment.hpp>

using namespace diffsiam::diffusion;
using Catch::Matchers::WithinRel;
using diffsiam::ConfigError;
using diffsiam::RangeError;
using diffsiam::ShapeError;
using diffsiam::test::contains;

namespace {

auto const schedule = NoiseSchedule::linear();

/// Two-valued factors of these amplitudes are lost, with degree 1/4, at t = 300, 360, ..., 720.
std::vector<double> const amplitudes{0.836476, 1.12767,  1.523257, 2.083386,
                                     2.907492, 4.163966, 6.145018, 9.370767};

/// Makes the loss of eps one of x_0.
struct OfClean {
  double operator()(NoiseSchedule const& of, int t) const {
    return 1 / of.snr()[static_cast<std::size_t>(t)];
  }
};

std::vector<int> widths(int each) {
  return std::vector<int>(16, each);
}
FactorSubsets subsets(std::vector<int> const& expected) {
  FactorSubsets result;
  for (int const i : expected)
    result.push_back(i < 0 ? std::nullopt : std::optional{static_cast<std::size_t>(i)});
  return result;
}
FactorSubsets const ascending = subsets({0, 1, 2, 3, 4, 5, 6, 7});
FactorSubsets const descending = subsets({7, 6, 5, 4, 3, 2, 1, 0});

}  // namespace

TEST_CASE("Gaussian factors are told coarse first, and fine first in the whitened metric", "[attribute]") {
  auto const plain = window_gains(schedule, FactorKind::gaussian, ErrorMetric::plain, amplitudes, 16);
  CHECK_THAT(plain(0, 0), WithinRel(0.022644432451436422, 1e-5));
  CHECK_THAT(plain(7, 9), WithinRel(0.48469684441134725, 1e-5));
  CHECK(assign_jointly(plain, widths(1)) == descending);
  CHECK(assign_by_window(plain, widths(1)) == descending);
  CHECK(assign_jointly(plain, widths(2)) == subsets({3, 3, 2, 2, 1, 1, 0, 0}));
  auto const whitened = window_gains(schedule, FactorKind::gaussian, ErrorMetric::whitened, amplitudes, 16);
  CHECK_THAT(whitened(7, 9), WithinRel(0.005519756522996588, 1e-5));
  CHECK(assign_jointly(whitened, widths(1)) == ascending);
  CHECK(assign_by_window(whitened, widths(1)) == ascending);
  CHECK(assign_by_window(whitened, widths(2)) == subsets({0, 0, 1, 1, 2, 2, 3, 3}));
}

TEST_CASE("Two-valued factors are told fine first in both metrics", "[attribute]") {
  auto const gains = window_gains(schedule, FactorKind::two_valued, ErrorMetric::plain, amplitudes, 16);
  CHECK_THAT(gains(7, 9), WithinRel(0.2800837924472488, 1e-4));
  CHECK(assign_jointly(gains, widths(1)) == ascending);
  // No one is told before it is lost, where a nat has a price.
  CHECK(assign_by_window(gains, widths(8), 0.16771820690877562) == subsets({3, 3, 4, 4, 5, 6, 7, 9}));
  CHECK(assign_by_window(gains, widths(8), 0.09317678161598646) == subsets({2, 3, 3, 4, 5, 6, 7, 8}));
  CHECK(assign_by_window(gains, widths(8), 1) == FactorSubsets(8));
}

TEST_CASE("With a price and an error of x_0, whitened, a factor waits until it is lost", "[attribute]") {
  for (FactorKind const kind : {FactorKind::gaussian, FactorKind::two_valued}) {
    auto const gains = window_gains(schedule, kind, ErrorMetric::whitened, amplitudes, 16, OfClean{});
    CHECK(assign_by_window(gains, widths(8), 0.893848) == subsets({7, 8, 9, 10, 10, 11, 12, 13}));
    CHECK(assign_by_window(gains, widths(8), 0.4965) == (kind == FactorKind::gaussian
                                                             ? subsets({4, 4, 5, 6, 7, 9, 10, 11})
                                                             : subsets({4, 5, 6, 7, 8, 9, 10, 11})));
  }
}

TEST_CASE("The joint assignment weighs what a place is worth to others", "[attribute]") {
  // Two places, in subsets 0 and 2. The first window alone takes factor 0; but that one loses 5 by waiting,
  // and the other one 4 + 3.
  WindowGains const gains{2, 3, {5, 0, 1, 4, 3, 1}};
  CHECK(assign_by_window(gains, std::vector{1, 0, 1}) == subsets({0, 2}));
  CHECK(assign_jointly(gains, std::vector{1, 0, 1}) == subsets({2, 0}));
  // Of three in two places, the one that earns least stays untold; a width of 0 holds none.
  WindowGains const three{3, 3, {1, 2, 2, 3, 3, 3, 0, 4, 4}};
  CHECK(assign_jointly(three, std::vector{1, 0, 1}) == subsets({-1, 0, 2}));
  CHECK(assign_jointly(three, std::vector{2, 1, 1}) == subsets({0, 0, 1}));
  // By hand: in subset 0 they earn 10, 9, in subset 1 only 6, 1: 10 + 1 < 9 + 6.
  WindowGains const crossed{2, 2, {4, 6, 8, 1}};
  CHECK(assign_jointly(crossed, std::vector{1, 1}) == subsets({1, 0}));
}

TEST_CASE("Assignments of what does not fit are refused", "[attribute]") {
  WindowGains const gains{1, 2, {1, 1}};
  CHECK_THROWS_WITH(assign_jointly(gains, std::vector{1}),
                    contains("assign_jointly") && contains("2 windows"));
  CHECK_THROWS_AS(assign_by_window(gains, std::vector{1, -1}), RangeError);
  CHECK_THROWS_AS(assign_by_window(gains, std::vector{1, 1}, -1), RangeError);
  CHECK_THROWS_AS(assign_jointly({1, 2, {1}}, std::vector{1, 1}), ShapeError);
  CHECK_THROWS_AS(assign_jointly({1, 2, {1, NAN}}, std::vector{1, 1}), RangeError);
  CHECK_THROWS_AS(window_gains(schedule, FactorKind::gaussian, ErrorMetric::plain, amplitudes, 0),
                  ConfigError);
}
