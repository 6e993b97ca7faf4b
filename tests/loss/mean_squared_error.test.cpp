#include <tests/loss/exact_mean.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>

namespace diffsiam::test {

TEST_CASE("The mean squared error is a mean over all elements") {
  using B = backend::Cpu<float>;
  B::Context context{{.threads = 1}};
  std::vector<float> const a{1, 2, 3, 4}, b{0, 2, 5, 8};
  auto const x = Tensor<B>::from(context, {2, 2}, std::span{a});
  auto const y = Tensor<B>::from(context, {2, 2}, std::span{b});
  loss::MeanSquaredError const error;
  CHECK(error(x, y).shape() == Shape{});
  CHECK(error(x, y).item() == (1 + 0 + 4 + 16) / 4.0F);
  CHECK_THROWS_WITH(error(x, y.reshaped({4})), contains("(2, 2)") && contains("(4)"));
  CHECK_THROWS_WITH(error(x.reshaped({4}).samples(0, 1).reshaped({}), Tensor<B>::zeros(context, {})),
                    contains("MeanSquaredError") && contains("(n, ...)"));
}

TEMPLATE_TEST_CASE("The mean squared error is right, or infinite, for values of any magnitude", "",
                   backend::Cpu<float>, backend::Reference<double>) {
  using T = typename TestType::Scalar;
  typename TestType::Context context{{.threads = 2}};
  Rows const target = extreme_rows<T>(2)[0];
  ExactRows const aims = target.exact();
  for (Rows const& rows : extreme_rows<T>(1)) {
    CAPTURE(rows.name);
    auto const count = static_cast<Exact>(rows.values.size());
    ExactMean const exact{rows, count, [&](std::size_t i, std::size_t j, Exact x) {
                            Exact const e = x - aims[i][j];
                            return Term{e * e, 2 * e};
                          }};
    Played<TestType> const played{context, rows.tensor<TestType>(context), [&](auto const& p) {
                                    return loss::MeanSquaredError{}(p, target.tensor<TestType>(context));
                                  }};
    check_mean<TestType>(played, exact, 4 / count);
  }
}

}  // namespace diffsiam::test
