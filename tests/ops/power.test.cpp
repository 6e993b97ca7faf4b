#include <cmath>

#include <tests/support/values.hpp>

#include <diffsiam/ops/power.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("pow is std::pow, element by element", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::pow(make({3}, {-2, 0, 3}), 2), {3}, {4, 0, 9});
  check_values(ops::pow(make({3}, {-2, 0, 3}), 3), {3}, {-8, 0, 27});
  check_values(ops::pow(make({2}, {4, 0.25}), -0.5), {2}, {0.5, 2});
  check_values(ops::pow(make({2}, {0, 5}), 0), {2}, {1, 1});
  CHECK(std::isnan(ops::pow(make({}, {-4}), 0.5).item()));
  CHECK(std::isinf(ops::pow(make({}, {0}), -1).item()));
}

TEMPLATE_TEST_CASE("The gradient of pow is exponent x^(exponent - 1)", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const slope = [&](double exponent) {
    Tape<B> tape{make.context};
    auto const x = tape.variable(make({3}, {0, 2, -2}));
    tape.backward(ops::pow(x, exponent), make({3}, {1, 10, 1}));
    return x.gradient();
  };
  check_values(slope(2), {3}, {0, 40, -4});
  check_values(slope(3), {3}, {0, 120, 12});
  check_values(slope(1), {3}, {1, 10, 1});
  check_values(slope(0), {3}, {0, 0, 0});
}

}  // namespace diffsiam::test
