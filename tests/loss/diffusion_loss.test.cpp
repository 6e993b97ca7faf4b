#include <array>
#include <cmath>

#include <tests/loss/exact_mean.hpp>
#include <tests/support/values.hpp>

#include <diffsiam/loss/diffusion_loss.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("The diffusion losses are weighted means of squared errors of eps", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  Make<TestType> make;
  // alpha = 1/2 twice: abar = 1/2, 1/4 and SNR = 1, 1/3.
  auto const schedule = diffusion::NoiseSchedule::from_betas(std::array{0.5, 0.5});
  diffusion::Noised<TestType> const noised{{}, make({2}, {0, 1}), make({2, 2}, {0, 1, 2, 3})};
  auto const eps = make({2, 2}, {1, 1, 2, 5}), gradient = make({2, 2}, {4, 0, 0, 2});
  check_values(loss::Noise{schedule}(eps, noised), {}, {(1 + 4) / 4.0});
  // c_t = -sqrt(alpha)(1 - abar_{t-1})/sqrt(1 - abar), abar_{-1} = 1.
  double const c_1 = -std::sqrt(0.5) * 0.5 / std::sqrt(0.75);
  double const lambda_0 = 1 / 2.0, lambda_1 = std::pow(1 / 3.0, 0.1) / (4 / 3.0);
  double const last = 2 + 2 * c_1;
  check_values(loss::ShiftedNoise{schedule}(eps, gradient, noised), {},
               {(lambda_0 * 1 + lambda_1 * last * last) / 4});
  check_values(loss::ShiftedNoise{schedule}(eps, noised), {}, {(lambda_0 * 1 + lambda_1 * 4) / 4});
  CHECK_THROWS_AS(loss::Noise{schedule.with_zero_terminal_snr()}, ConfigError);
  CHECK_THROWS_AS(loss::ShiftedNoise{schedule.with_zero_terminal_snr()}, ConfigError);
}

TEMPLATE_TEST_CASE("The diffusion losses are right, or infinite, for values of any magnitude", "",
                   backend::Cpu<float>, backend::Reference<double>) {
  using T = typename TestType::Scalar;
  typename TestType::Context context{{.threads = 2}};
  auto const schedule = diffusion::NoiseSchedule::linear(1000, 1e-4, 0.02);
  Rows const target = extreme_rows<T>(2)[0];
  ExactRows const aims = target.exact();
  std::vector<double> const steps{0, 1, 300, 600, 900, 999};
  diffusion::Noised<TestType> const noised{
      {}, Tensor<TestType>::from(context, {6}, std::span{steps}), target.tensor<TestType>(context)};
  auto const weights = diffusion::weight_table(schedule, diffusion::SnrPower{});
  auto const at = [&](auto const& table, std::size_t i) {
    return static_cast<Exact>(table[static_cast<std::size_t>(steps[i])]);
  };
  loss::ShiftedNoise const shifted{schedule};
  for (Rows const& rows : extreme_rows<T>(1)) {
    CAPTURE(rows.name);
    auto const x = rows.tensor<TestType>(context);
    auto const count = static_cast<Exact>(rows.values.size());
    // In units of the difference, which rounding of x leaves as it is.
    Exact const size = 4 / count;
    ExactMean const square{rows, count, [&](std::size_t i, std::size_t j, Exact value) {
                             Exact const e = value - aims[i][j];
                             return Term{e * e, 2 * e};
                           }};
    check_mean<TestType>({context, x, [&](auto const& p) { return loss::Noise{schedule}(p, noised); }},
                         square, size);
    ExactMean const of_shift{rows, count, [&](std::size_t i, std::size_t j, Exact value) {
                               Exact const c = at(schedule.shift_coef(), i), e = c * value - aims[i][j];
                               return Term{at(weights, i) * e * e, 2 * at(weights, i) * c * e};
                             }};
    auto const zeros = Tensor<TestType>::zeros(context, x.shape());
    check_mean<TestType>({context, x, [&](auto const& g) { return shifted(zeros, g, noised); }}, of_shift,
                         size);
  }
}

}  // namespace diffsiam::test
