#include <tests/support/values.hpp>

#include <diffsiam/ops/matmul.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("matmul multiplies matrices as they are or transposed", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const a = make({2, 3}, {1, 2, 3, 4, 5, 6}), at = make({3, 2}, {1, 4, 2, 5, 3, 6});
  auto const b = make({3, 2}, {1, 0, 0, 1, 10, 10}), bt = make({2, 3}, {1, 0, 10, 0, 1, 10});
  Values const expected{31, 32, 64, 65};
  check_values(ops::matmul(a, b), {2, 2}, expected);
  check_values(ops::matmul(at, b, {.transpose_a = true}), {2, 2}, expected);
  check_values(ops::matmul(a, bt, {.transpose_b = true}), {2, 2}, expected);
  check_values(ops::matmul(at, bt, {.transpose_a = true, .transpose_b = true}), {2, 2}, expected);
  check_values(ops::matmul(a, a, {.transpose_a = true}), {3, 3}, {17, 22, 27, 22, 29, 36, 27, 36, 45});
  CHECK(ops::matmul(make({0, 3}, {}), b).shape() == Shape{0, 2});
}

TEMPLATE_TEST_CASE("The gradients of matmul are products, too", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  Tape<B> tape{make.context};
  auto const a = tape.variable(make({2, 1}, {1, 2})), b = tape.variable(make({2, 2}, {3, 4, 5, 6}));
  tape.backward(ops::matmul(a, b, {.transpose_a = true}), make({1, 2}, {1, 10}));
  check_values(a.gradient(), {2, 1}, {43, 65});
  check_values(b.gradient(), {2, 2}, {1, 10, 2, 20});
}

TEST_CASE("matmul refuses matrices that do not meet") {
  Make<backend::Reference<double>> make;
  auto const a = make({2, 3}, {1, 2, 3, 4, 5, 6}), vector = make({3}, {1, 2, 3});
  CHECK_THROWS_WITH(ops::matmul(a, a),
                    contains("matmul: expected 3 rows beside (2, 3), got (2, 3)") && contains("transpose_b"));
  CHECK_THROWS_WITH(ops::matmul(a, a, {.transpose_a = true, .transpose_b = true}),
                    contains("matmul: expected 2 columns beside (2, 3) transposed, got (2, 3)"));
  CHECK_THROWS_WITH(ops::matmul(a, vector), contains("matmul: expected rank 2 (rows, columns), got (3)"));
  CHECK_THROWS_WITH(ops::matmul(make({2, 0}, {}), make({0, 2}, {})), contains("at least one inner element"));
}

}  // namespace diffsiam::test
