#include <tests/support/catch.hpp>

#include <diffsiam/train/learning_rate.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

TEST_CASE("Cosine falls from one to its floor and stays", "[train][learning_rate]") {
  train::Cosine const cosine{{.steps = 100, .floor = 0.1}};
  CHECK(cosine(0) == 1);
  CHECK(cosine(50) == Approx(0.55));
  CHECK(cosine(25) == Approx(0.1 + 0.9 * (1 + std::sqrt(0.5)) / 2));
  CHECK(cosine(100) == 0.1);
  CHECK(cosine(100000) == 0.1);
  CHECK_THROWS_AS((train::Cosine{{.steps = 1, .floor = 1.1}}), ConfigError);
  CHECK_THROWS_WITH((train::Cosine{{.steps = 1, .floor = -1}}), contains("floor") && contains("-1"));
}

TEST_CASE("Warm-up rises in a line and hands over to the next schedule at its beginning",
          "[train][learning_rate]") {
  train::Warmup const warmup{4, train::Cosine{{.steps = 10, .floor = 0}}};
  CHECK(warmup(0) == 0.25);
  CHECK(warmup(2) == 0.75);
  CHECK(warmup(3) == 1);
  CHECK(warmup(4) == 1);
  CHECK(warmup(9) == Approx(0.5));
  CHECK(warmup(14) == 0);
  CHECK(train::Warmup{0}(0) == 1);
  CHECK(train::ConstantRate{}(123) == 1);
}
