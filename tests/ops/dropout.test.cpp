#include <cmath>

#include <tests/support/values.hpp>

#include <diffsiam/ops/dropout.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("dropout keeps the mean, drops about p, and repeats with its rng", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = Tensor<B>::filled(make.context, {100, 100}, 1);
  Rng const rng{.seed = 4};
  auto const y = ops::dropout(x, 0.25, rng);
  Index dropped = 0;
  for (double value : y.template values<double>()) {
    dropped += value == 0;
    CHECK((value == 0 || value == Approx(4.0 / 3)));
  }
  CHECK(std::abs(static_cast<double>(dropped) - 2500) < 5 * 43.3);
  CHECK(ops::dropout(x, 0.25, rng).values() == y.values());
  CHECK(ops::dropout(x, 0.25, rng.next()).values() != y.values());
  CHECK(ops::dropout(x, 0, rng).values() == x.values());
}

}  // namespace diffsiam::test
