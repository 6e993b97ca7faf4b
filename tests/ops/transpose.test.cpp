#include <tests/support/values.hpp>

#include <diffsiam/ops/transpose.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("transpose exchanges the last two axes", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::transpose(make({2, 3}, {1, 2, 3, 4, 5, 6})), {3, 2}, {1, 4, 2, 5, 3, 6});
  check_values(ops::transpose(make({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})), {2, 1, 2, 2},
               {1, 3, 2, 4, 5, 7, 6, 8});
  CHECK(ops::transpose(make({0, 3}, {})).shape() == Shape{3, 0});
  Tape<B> tape{make.context};
  auto const x = tape.variable(make({1, 3}, {1, 2, 3}));
  tape.backward(ops::transpose(x), make({3, 1}, {4, 5, 6}));
  check_values(x.gradient(), {1, 3}, {4, 5, 6});
  CHECK_THROWS_WITH(ops::transpose(make({3}, {1, 2, 3})),
                    contains("transpose: expected (..., rows, columns), got (3)"));
}

}  // namespace diffsiam::test
