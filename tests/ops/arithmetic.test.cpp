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

TEMPLATE_TEST_CASE("A number beside a value is the same for all elements", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({3}, {1, -2, 4});
  check_values(x + 1.F, {3}, {2, -1, 5});
  check_values(1 + x, {3}, {2, -1, 5});
  check_values(x - 1, {3}, {0, -3, 3});
  check_values(1 - x, {3}, {0, 3, -3});
  check_values(x * 2, {3}, {2, -4, 8});
  check_values(x / 4, {3}, {0.25, -0.5, 1});
  check_values(4 / x, {3}, {4, -2, 1});
  check_values(-x, {3}, {-1, 2, -4});
  check_values(ops::affine(x, 2, -1), {3}, {1, -5, 7});
}

TEMPLATE_TEST_CASE("Division is exact where numbers are, and has both gradients", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const odd = make({2}, {49, 3});
  CHECK((odd / odd).values() == std::vector<typename B::Scalar>{1, 1});
  Tape<B> tape{make.context};
  auto const x = tape.variable(make({2}, {6, 1})), y = tape.variable(make({2}, {2, -4}));
  tape.backward(x / y, make({2}, {1, 8}));
  check_values(x.gradient(), {2}, {0.5, -2});
  check_values(y.gradient(), {2}, {-1.5, -0.5});
}

}  // namespace diffsiam::test
