#include <tests/support/values.hpp>

#include <diffsiam/ops/weighted_error.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("weighted_error is a mean over elements, each sample with its weight", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const p = make({2, 2}, {1, 2, 3, 4}), t = make({2, 2}, {0, 0, 0, 0}), w = make({2}, {1, 10});
  check_values(ops::weighted_error(p, t, w), {}, {(1 + 4 + 90 + 160) / 4.0});
  check_values(ops::weighted_error<functional::AbsoluteError>(t, p, w), {}, {(1 + 2 + 30 + 40) / 4.0});
}

}  // namespace diffsiam::test
