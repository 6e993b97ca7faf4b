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

}  // namespace diffsiam::test
