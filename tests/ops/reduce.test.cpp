#include <tests/support/values.hpp>

#include <diffsiam/ops/reduce.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("sum and mean are over all elements", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({2, 3}, {1, 2, 3, 4, 5, 9});
  check_values(ops::sum(x), {}, {24});
  check_values(ops::mean(x), {}, {4});
  Tape<B> tape{make.context};
  auto const variable = tape.variable(x);
  tape.backward(ops::mean(variable), 3.0);
  check_values(variable.gradient(), {2, 3}, Values(6, 0.5));
}

TEMPLATE_TEST_CASE("sum and mean go along one axis", "", backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({2, 3}, {1, 2, 3, 4, 5, 9});
  check_values(ops::sum(x, 0), {3}, {5, 7, 12});
  check_values(ops::sum(x, 1), {2}, {6, 18});
  check_values(ops::sum(x, -1, {.keepdims = true}), {2, 1}, {6, 18});
  check_values(ops::mean(x, 0, {.keepdims = true}), {1, 3}, {2.5, 3.5, 6});
  check_values(ops::mean(x, -1), {2}, {2, 6});
  check_values(ops::sum(make({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), 1), {2, 2}, {4, 6, 12, 14});
  check_values(ops::sum(make({2}, {1, 2}), 0), {}, {3});
  Tape<B> tape{make.context};
  auto const variable = tape.variable(x);
  tape.backward(ops::mean(variable, 1), make({2}, {3, 6}));
  check_values(variable.gradient(), {2, 3}, {1, 1, 1, 2, 2, 2});
}

TEST_CASE("sum and mean refuse an axis that is not there or empty") {
  Make<backend::Reference<double>> make;
  auto const x = make({2, 1}, {1, 2});
  CHECK_THROWS_WITH(ops::sum(x, 2), contains("sum: expected an axis of (2, 1), got 2"));
  CHECK_THROWS_WITH(ops::mean(x, -3), contains("mean: expected an axis of (2, 1), got -3"));
  CHECK_THROWS_WITH(ops::mean(make({0, 3}, {}), 0),
                    contains("mean: expected at least one element along axis 0, got (0, 3)"));
  CHECK_THROWS_WITH(ops::mean(make({0}, {})), contains("mean: expected at least one element"));
}

}  // namespace diffsiam::test
