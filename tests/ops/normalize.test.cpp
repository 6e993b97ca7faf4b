#include <tests/support/values.hpp>

#include <diffsiam/ops/normalize.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("normalize gives rows of length 1, and cosines are those of directions", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::normalize(make({2, 2}, {3, 4, 0, -2})), {2, 2}, {0.6, 0.8, 0, -1});
  check_values(ops::normalize(make({1, 2}, {0, 0})), {1, 2}, {0, 0});
  check_values(ops::mean_cosine_similarity(make({2, 2}, {3, 4, 1, 0}), make({2, 2}, {4, 3, -5, 0})), {},
               {(0.96 - 1) / 2});
}

}  // namespace diffsiam::test
