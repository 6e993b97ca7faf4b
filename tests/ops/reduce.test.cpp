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

}  // namespace diffsiam::test
