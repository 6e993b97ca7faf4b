#include <cmath>
#include <limits>

#include <tests/support/values.hpp>

#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("silu is x sigmoid(x), relu is max(x, 0)", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::silu(make({4}, {0, 1, -1, 30})), {4},
               {0, 1 / (1 + std::exp(-1)), -1 / (1 + std::exp(1)), 30});
  check_values(ops::relu(make({3}, {-2, 0, 3})), {3}, {0, 0, 3});
  Tape<B> tape{make.context};
  auto const x = tape.variable(make({3}, {0, -2, 3}));
  tape.backward(ops::add(ops::silu(x), ops::relu(x)), make({3}, {1, 1, 1}));
  auto const slope = [](double v) { return (1 + v / (1 + std::exp(v))) / (1 + std::exp(-v)); };
  check_values(x.gradient(), {3}, {0.5, slope(-2), slope(3) + 1});
}

TEMPLATE_TEST_CASE("exp is 0 far below and infinite far above", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  double const infinity = std::numeric_limits<double>::infinity();
  check_values(ops::exp(make({5}, {0, 1, -2, -1000, 1000})), {5},
               {1, std::exp(1), std::exp(-2), 0, infinity});
}

TEMPLATE_TEST_CASE("log, sqrt and abs, and where they have no value", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::log(make({3}, {1, std::exp(2), 0.5})), {3}, {0, 2, std::log(0.5)});
  check_values(ops::sqrt(make({3}, {0, 4, 0.25})), {3}, {0, 2, 0.5});
  check_values(ops::abs(make({3}, {-2, 0, 3})), {3}, {2, 0, 3});
  CHECK(ops::log(make({}, {0})).item() == -std::numeric_limits<typename B::Scalar>::infinity());
  CHECK(std::isnan(ops::log(make({}, {-1})).item()));
  CHECK(std::isnan(ops::sqrt(make({}, {-1})).item()));
  Tape<B> tape{make.context};
  auto const x = tape.variable(make({2}, {4, 1}));
  tape.backward(ops::log(x) + ops::sqrt(x), make({2}, {1, 2}));
  check_values(x.gradient(), {2}, {0.5, 3});
  Tape<B> other{make.context};
  auto const z = other.variable(make({3}, {-2, 0, 3}));
  other.backward(ops::abs(z), make({3}, {1, 1, 5}));
  check_values(z.gradient(), {3}, {-1, 0, 5});
}

}  // namespace diffsiam::test
