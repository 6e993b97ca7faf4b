#include <cmath>

#include <tests/support/values.hpp>

#include <diffsiam/ops/attention.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("attention mixes v by softmax of q k / sqrt(width), heads laid out [q k v] each", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  double const e = std::exp(1), p = e / (e + 1);
  // One head of width 1: q = (1, 0), k = (1, 0), v = (10, 20).
  check_values(ops::attention(make({1, 2, 3}, {1, 1, 10, 0, 0, 20}), 1), {1, 2, 1},
               {10 * p + 20 * (1 - p), 15});
  // A second head beside it, with equal keys.
  check_values(ops::attention(make({1, 2, 6}, {1, 1, 10, 5, 0, 2, 0, 0, 20, 7, 0, 4}), 2), {1, 2, 2},
               {10 * p + 20 * (1 - p), 3, 15, 3});
  // Width 4 halves the logits.
  double const q = std::exp(2) / (std::exp(2) + 1);
  check_values(ops::attention(make({1, 2, 12}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0,  //
                                                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
                              1),
               {1, 2, 4}, {q, 0, 0, 0, 0.5, 0, 0, 0});
}

}  // namespace diffsiam::test
