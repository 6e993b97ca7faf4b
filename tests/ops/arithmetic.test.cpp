#include <tests/support/values.hpp>

#include <diffsiam/ops/arithmetic.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Arithmetic goes element by element", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({2, 2}, {1, 2, 3, 4}), y = make({2, 2}, {10, 20, 30, 40});
  check_values(x + y, {2, 2}, {11, 22, 33, 44});
  check_values(x - y, {2, 2}, {-9, -18, -27, -36});
  check_values(x * y, {2, 2}, {10, 40, 90, 160});
  check_values(-0.5 * x, {2, 2}, {-0.5, -1, -1.5, -2});
  check_values(ops::linear_combination(2, x, -0.1, y), {2, 2}, {1, 2, 3, 4});
}

TEMPLATE_TEST_CASE("multiply takes one factor a sample", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({2, 1, 2}, {1, 2, 3, 4});
  check_values(ops::multiply(x, make({2}, {10, -1})), {2, 1, 2}, {10, 20, -3, -4});
  Tape<B> tape{make.context};
  auto const factor = tape.variable(make({2}, {10, -1}));
  tape.backward(ops::multiply(tape.input(x), factor), make({2, 1, 2}, {1, 1, 1, 10}));
  check_values(factor.gradient(), {2}, {3, 43});
}

}  // namespace diffsiam::test
