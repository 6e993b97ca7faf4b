#include <tests/support/values.hpp>

#include <diffsiam/ops/pool.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("global_average_pool leaves a mean a channel", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({2, 1, 2, 2}, {1, 10, 3, 30, 5, 50, 7, 70});
  check_values(ops::global_average_pool(x), {2, 2}, {2, 20, 6, 60});
  Tape<B> tape{make.context};
  auto const variable = tape.variable(x);
  tape.backward(ops::global_average_pool(variable), make({2, 2}, {2, 4, 6, 8}));
  check_values(variable.gradient(), {2, 1, 2, 2}, {1, 2, 1, 2, 3, 4, 3, 4});
}

}  // namespace diffsiam::test
