#include <limits>

#include <tests/support/values.hpp>

#include <diffsiam/ops/select.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("select lets nothing of what is masked through, forward or back", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  double const nan = std::numeric_limits<double>::quiet_NaN();
  Tape<B> tape{make.context};
  auto const x = tape.variable(make({3}, {1, nan, 3}));
  auto const y = ops::select(x, make({3}, {1, 0, 1}));
  check_values(y.value(), {3}, {1, 0, 3});
  tape.backward(y, make({3}, {5, nan, 7}));
  check_values(x.gradient(), {3}, {5, 0, 7});
}

}  // namespace diffsiam::test
