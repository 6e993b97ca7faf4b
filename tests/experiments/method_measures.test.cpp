#include <vector>

#include <tests/support/catch.hpp>

#include <experiments/method_measures.hpp>

using namespace experiments;
using diffsiam::test::Approx;

namespace {

/// A factor of three levels; in every part half of the samples have level 0 and a quarter each of the others.
std::vector<int> const levels{0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2};

double mean_average_precision_of(std::vector<float> const& values, std::vector<Attribute> named = {}) {
  ExperimentData const data{.set = nullptr,
                            .pictures = {},
                            .factors = {.names = {"kind"},
                                        .levels = {3},
                                        .train = levels,
                                        .validation = levels,
                                        .test = levels,
                                        .named_attributes = std::move(named)}};
  ds::ThreadPool threads{1};
  MeasureList list;
  measure_attributes(list, {1, values, values, values}, data, threads);
  REQUIRE(list.entries().size() == 1);
  CHECK(list.entries().front().measure == "mean_average_precision");
  return list.entries().front().value;
}

}  // namespace

TEST_CASE("the mean average precision over attributes is what ranks by hand give", "[experiments]") {
  std::vector<float> nothing(16), level_0, order;
  for (int const level : levels) {
    level_0.push_back(level == 0 ? 1.0F : 0.0F);
    order.push_back(static_cast<float>(level));
  }
  // All scores alike: the precision is the share of positives, 1/2, 1/4 and 1/4.
  CHECK(mean_average_precision_of(nothing) == Approx(1.0 / 3));
  // Level 0 is told; of the other half, each of the others is every second one: 1, 1/2 and 1/2.
  CHECK(mean_average_precision_of(level_0) == Approx(2.0 / 3));
  // A line orders the levels 0, 1, 2. It tells the first and the last one, and the sum of these two.
  CHECK(mean_average_precision_of(order, {{"low", 0, {0}}, {"high", 0, {2}}, {"some", 0, {1, 2}}}) ==
        Approx(1));
}
