#include <tests/support/values.hpp>

#include <diffsiam/ops/modulation.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("compose_modulation applies the first, then the second", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  // u = 2: ((1 + 1) 2 + 3)(1 + 0.5) + 4 = 14.5 = (1 + 2) 2 + 8.5.
  check_values(ops::compose_modulation(make({1, 2}, {1, 3}), make({1, 2}, {0.5, 4})), {1, 2}, {2, 8.5});
}

}  // namespace diffsiam::test
