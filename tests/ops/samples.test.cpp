#include <tests/support/values.hpp>

#include <diffsiam/ops/samples.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("samples are rows of the batch, and the others get no gradient", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({3, 2}, {1, 2, 3, 4, 5, 6});
  check_values(ops::samples(x, 1, 3), {2, 2}, {3, 4, 5, 6});
  Tape<B> tape{make.context};
  auto const variable = tape.variable(x);
  tape.backward(ops::samples(variable, 1, 2), make({1, 2}, {7, 8}));
  check_values(variable.gradient(), {3, 2}, {0, 0, 7, 8, 0, 0});
}

}  // namespace diffsiam::test
