#include <tests/support/values.hpp>

#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/broadcast.hpp>

namespace diffsiam::test {

TEST_CASE("Shapes meet from the right, and extents of 1 are repeated") {
  auto const meet = [](Shape const& x, Shape const& y) { return ops::broadcast_shape("add", x, y); };
  CHECK(meet({2, 3}, {3}) == Shape{2, 3});
  CHECK(meet({3}, {2, 3}) == Shape{2, 3});
  CHECK(meet({2, 1}, {3}) == Shape{2, 3});
  CHECK(meet({}, {2, 3}) == Shape{2, 3});
  CHECK(meet({4, 1, 3, 1}, {5, 1, 2}) == Shape{4, 5, 3, 2});
  CHECK(meet({0, 3}, {1, 3}) == Shape{0, 3});
  CHECK_THROWS_WITH(meet({2, 3}, {2}),
                    contains("add: expected (2, 3), or extents of 1, which are repeated, got (2)") &&
                        contains("(n, 1) has one number for each of n samples"));
}

TEMPLATE_TEST_CASE("broadcast_to repeats, and its gradient sums", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::broadcast_to(make({2}, {1, 2}), {3, 2}), {3, 2}, {1, 2, 1, 2, 1, 2});
  check_values(ops::broadcast_to(make({2, 1}, {1, 2}), {2, 3}), {2, 3}, {1, 1, 1, 2, 2, 2});
  check_values(ops::broadcast_to(make({}, {7}), {2, 1}), {2, 1}, {7, 7});
  check_values(ops::broadcast_to(make({1, 2, 1}, {1, 2}), {2, 2, 2}), {2, 2, 2}, {1, 1, 2, 2, 1, 1, 2, 2});
  Tape<B> tape{make.context};
  auto const row = tape.variable(make({2}, {1, 2})), column = tape.variable(make({2, 1}, {1, 2}));
  tape.backward(ops::broadcast_to(row, {2, 2}) - ops::broadcast_to(column, {2, 2}),
                make({2, 2}, {1, 10, 100, 1000}));
  check_values(row.gradient(), {2}, {101, 1010});
  check_values(column.gradient(), {2, 1}, {-11, -1100});
  CHECK_THROWS_WITH(ops::broadcast_to(make({2}, {1, 2}), {2, 3}), contains("broadcast_to: expected"));
  CHECK_THROWS_WITH(ops::broadcast_to(make({2, 1}, {1, 2}), {2}),
                    contains("broadcast_to: expected a shape that can be repeated to (2), got (2, 1)"));
}

TEMPLATE_TEST_CASE("Arithmetic repeats rows, columns and single numbers", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({2, 2}, {1, 2, 3, 4}), row = make({2}, {10, 20}), column = make({2, 1}, {10, 20});
  check_values(x + row, {2, 2}, {11, 22, 13, 24});
  check_values(column - x, {2, 2}, {9, 8, 17, 16});
  check_values(x * column, {2, 2}, {10, 20, 60, 80});
  check_values(column / row, {2, 2}, {1, 0.5, 2, 1});
  check_values(x * make({}, {3}), {2, 2}, {3, 6, 9, 12});
  check_values(ops::linear_combination(1, x, -0.1, row), {2, 2}, {0, 0, 2, 2});
}

TEST_CASE("A parameter is repeated beside a value and gets its gradient") {
  using B = backend::Reference<double>;
  Make<B> make;
  Parameter<B> const gamma{make({2}, {10, -1})};
  Tape<B> tape{make.context};
  auto const y = tape.input(make({2, 2}, {1, 2, 3, 4})) * gamma;
  check_values(y.value(), {2, 2}, {10, -2, 30, -4});
  tape.backward(y, make({2, 2}, {1, 1, 1, 1}));
  check_values(gamma.gradient(), {2}, {4, 6});
}

}  // namespace diffsiam::test
