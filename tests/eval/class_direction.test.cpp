#include <tests/support/catch.hpp>

#include <diffsiam/eval/class_direction.hpp>

using namespace diffsiam;
using eval::FeatureSet;

namespace {

FeatureSet three() {
  return {.values = {1, 0, 3, 0, 2, 6},
          .count = 3,
          .dims = 2,
          .labels = {1, 1, 0},
          .class_names = {"a", "b", "c"}};
}

}  // namespace

TEST_CASE("the direction of a class is its mean less the mean of all") {
  // Means: of b (2, 0), of a (2, 6), of all (2, 2).
  REQUIRE(eval::class_direction(three(), "b") == std::vector<float>{0, -2});
  REQUIRE(eval::class_direction(three(), "a") == std::vector<float>{0, 4});
}

TEST_CASE("a class without samples, or of another name, has no direction") {
  REQUIRE_THROWS_WITH(eval::class_direction(three(), "c"), test::contains("'c'"));
  REQUIRE_THROWS_WITH(eval::class_direction(three(), "d"), test::contains("'d'"));
  FeatureSet unlabelled = three();
  unlabelled.labels.clear();
  REQUIRE_THROWS_AS(eval::class_direction(unlabelled, "a"), ConfigError);
}
