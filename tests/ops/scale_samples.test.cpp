#include <tests/support/values.hpp>

#include <diffsiam/ops/scale_samples.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("scale_samples takes one factor a sample", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({2, 1, 2}, {1, 2, 3, 4});
  check_values(ops::scale_samples(x, make({2}, {10, -1})), {2, 1, 2}, {10, 20, -3, -4});
  Tape<B> tape{make.context};
  auto const factor = tape.variable(make({2}, {10, -1}));
  tape.backward(ops::scale_samples(tape.input(x), factor), make({2, 1, 2}, {1, 1, 1, 10}));
  check_values(factor.gradient(), {2}, {3, 43});
  CHECK_THROWS_WITH(ops::scale_samples(x, make({1}, {1})), contains("scale_samples: expected (2), got (1)"));
  CHECK_THROWS_WITH(ops::scale_samples(make({}, {1}), make({1}, {1})),
                    contains("scale_samples: expected (n, ...), got ()"));
}

}  // namespace diffsiam::test
