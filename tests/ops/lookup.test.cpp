#include <vector>

#include <tests/support/values.hpp>

#include <diffsiam/ops/lookup.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("lookup reads a table at time-steps", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  std::vector<double> const table{0.5, 10, -3};
  check_values(ops::lookup(table, make({4}, {2, 0, 1, 2})), {4}, {-3, 0.5, 10, -3});
}

}  // namespace diffsiam::test
