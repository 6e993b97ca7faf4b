#include <tests/support/values.hpp>

#include <diffsiam/ops/diagonal.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("diagonal takes x[i, i], and gives its gradient back there", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const matrix = make({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  check_values(ops::diagonal(matrix), {3}, {1, 5, 9});
  Tape<B> tape{make.context};
  auto const x = tape.variable(matrix);
  tape.backward(ops::diagonal(x), make({3}, {10, 20, 30}));
  check_values(x.gradient(), {3, 3}, {10, 0, 0, 0, 20, 0, 0, 0, 30});
  CHECK_THROWS_WITH(ops::diagonal(make({1, 2}, {1, 2})),
                    contains("diagonal: expected a square matrix (n, n), got (1, 2)"));
}

}  // namespace diffsiam::test
