#include <tests/support/values.hpp>

#include <diffsiam/ops/reshape.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("reshape keeps the order of elements, flatten the samples", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  check_values(ops::reshape(x, {4, 2}), {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  check_values(ops::flatten(x), {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  Tape<B> tape{make.context};
  auto const variable = tape.variable(x);
  tape.backward(ops::flatten(variable), make({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  check_values(variable.gradient(), {2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
}

}  // namespace diffsiam::test
