#include <cmath>

#include <tests/support/values.hpp>

#include <diffsiam/ops/time_embedding.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("time_embedding puts cosines before sines", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::time_embedding(make({2}, {0, 999}), 4), {2, 4},
               {1, 1, 0, 0, std::cos(999.0), std::cos(9.99), std::sin(999.0), std::sin(9.99)});
}

}  // namespace diffsiam::test
