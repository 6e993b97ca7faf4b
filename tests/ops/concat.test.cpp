#include <tests/support/values.hpp>

#include <diffsiam/ops/concat.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("concat and slice work on the last extent", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const y = ops::concat(make({2, 2}, {1, 2, 3, 4}), make({2, 1}, {5, 6}));
  check_values(y, {2, 3}, {1, 2, 5, 3, 4, 6});
  check_values(ops::slice(y, 1, 3), {2, 2}, {2, 5, 4, 6});
}

}  // namespace diffsiam::test
