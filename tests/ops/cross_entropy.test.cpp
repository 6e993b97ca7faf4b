#include <cmath>

#include <tests/loss/exact_mean.hpp>
#include <tests/support/values.hpp>

#include <diffsiam/ops/cross_entropy.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Cross entropies are means in nats, and hold for logits that exp does not", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::softmax_cross_entropy(make({2, 2}, {0, 0, 0, std::log(3)}), make({2, 2}, {1, 0, 0, 1})),
               {}, {(std::log(2) + std::log(4.0 / 3)) / 2});
  check_values(ops::binary_cross_entropy(make({2}, {0, 100}), make({2}, {0.3, 0})), {},
               {(std::log(2) + 100) / 2});
  check_values(ops::softmax_cross_entropy(make({1, 2}, {1000, -1000}), make({1, 2}, {1, 0})), {}, {0});
}

TEMPLATE_TEST_CASE("Cross entropies are right for logits of any magnitude", "", backend::Cpu<float>,
                   backend::Reference<double>) {
  using T = typename TestType::Scalar;
  typename TestType::Context context{{.threads = 2}};
  Rows const target = extreme_rows<T>(2).back();  // one-hot
  ExactRows const aims = target.exact();
  auto const targets = target.tensor<TestType>(context);
  for (Rows const& rows : extreme_rows<T>(1)) {
    CAPTURE(rows.name);
    auto const x = rows.tensor<TestType>(context);
    ExactRows const logits = rows.exact();
    ExactMean const softmax{rows, static_cast<Exact>(rows.n()),
                            [&](std::size_t i, std::size_t j, Exact value) {
                              Exact const top = *std::max_element(logits[i].begin(), logits[i].end());
                              Exact sum = 0;
                              for (Exact logit : logits[i]) sum += std::exp(logit - top);
                              Exact const log_p = (value - top) - std::log(sum);
                              return Term{-aims[i][j] * log_p, std::exp(log_p) - aims[i][j]};
                            }};
    check_mean<TestType>(
        {context, x, [&](auto const& logit) { return ops::softmax_cross_entropy(logit, targets); }}, softmax,
        1);
    ExactMean const binary{
        rows, static_cast<Exact>(rows.values.size()), [&](std::size_t i, std::size_t j, Exact value) {
          Exact const aim = aims[i][j];
          return Term{std::max<Exact>(value, 0) + std::log1p(std::exp(-std::abs(value))) - aim * value,
                      1 / (1 + std::exp(-value)) - aim};
        }};
    check_mean<TestType>(
        {context, x, [&](auto const& logit) { return ops::binary_cross_entropy(logit, targets); }}, binary,
        1);
  }
}

}  // namespace diffsiam::test
