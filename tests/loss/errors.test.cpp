// Losses of errors and of likelihoods on values at the ends of the range. Where the true value is beyond that
// of the scalar they are infinity, never NaN, and their gradients are as good as elsewhere.
#include <tests/loss/extreme_rows.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/loss/diffusion_loss.hpp>
#include <diffsiam/loss/gaussian_kl.hpp>
#include <diffsiam/loss/latent_noise.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/ops/cross_entropy.hpp>

namespace diffsiam::test {
namespace {

/// A loss that is a mean over elements, as its exact terms and their slopes.
struct ExactMean {
  Exact loss = 0;
  std::vector<Exact> slopes;

  /// term(i, j, x) is a pair of a value and a slope.
  template <class Term>
  ExactMean(Rows const& rows, Exact count, Term term) {
    ExactRows const exact = rows.exact();
    for (std::size_t i = 0; i < exact.size(); ++i)
      for (std::size_t j = 0; j < exact[i].size(); ++j) {
        auto const [value, slope] = term(i, j, exact[i][j]);
        loss += value / count;
        slopes.push_back(slope / count);
      }
  }
};

/// Values and slopes within 64 roundings of their size.
template <class B>
void check_mean(Played<B> const& played, ExactMean const& exact, Exact size) {
  using T = typename B::Scalar;
  check_near<T>(played.loss, exact.loss, 64 * rounding<T> * (std::abs(exact.loss) + size));
  for (std::size_t i = 0; i < exact.slopes.size(); ++i) {
    CAPTURE(i);
    check_near<T>(played.gradient[i], exact.slopes[i], 64 * rounding<T> * (std::abs(exact.slopes[i]) + size));
  }
}

using Term = std::pair<Exact, Exact>;

/// The greatest magnitude of a batch, at least 1.
Exact greatest(Rows const& rows) {
  Exact result = 1;
  for (double x : rows.values) result = std::max(result, std::abs(static_cast<Exact>(x)));
  return result;
}

}  // namespace

TEMPLATE_TEST_CASE("Losses of errors are right, or infinite, for values of any magnitude", "",
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
    auto const error = [&](std::size_t i, std::size_t j, Exact value) { return value - aims[i][j]; };
    ExactMean const square{rows, count, [&](std::size_t i, std::size_t j, Exact value) {
                             Exact const e = error(i, j, value);
                             return Term{e * e, 2 * e};
                           }};
    // In units of the difference, which rounding of x leaves as it is.
    Exact const size = 4 / count;
    check_mean<TestType>(
        {context, x, [&](auto const& p) { return loss::MeanSquaredError{}(p, noised.noise); }}, square, size);
    check_mean<TestType>({context, x, [&](auto const& p) { return loss::Noise{schedule}(p, noised); }},
                         square, size);
    ExactMean const magnitude{rows, count, [&](std::size_t i, std::size_t j, Exact value) {
                                Exact const e = error(i, j, value);
                                return Term{std::abs(e), std::copysign(Exact(e != 0), e)};
                              }};
    check_mean<TestType>({context, x, [&](auto const& p) { return loss::LatentNoise{}(p, noised); }},
                         magnitude, size);
    ExactMean const of_shift{rows, count, [&](std::size_t i, std::size_t j, Exact value) {
                               Exact const c = at(schedule.shift_coef(), i), e = c * value - aims[i][j];
                               return Term{at(weights, i) * e * e, 2 * at(weights, i) * c * e};
                             }};
    auto const zeros = Tensor<TestType>::zeros(context, x.shape());
    check_mean<TestType>({context, x, [&](auto const& g) { return shifted(zeros, g, noised); }}, of_shift,
                         size);
  }
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

TEMPLATE_TEST_CASE("The Gaussian KL is right, or infinite, for means and log variances of any magnitude", "",
                   backend::Cpu<float>, backend::Reference<double>) {
  using T = typename TestType::Scalar;
  typename TestType::Context context{{.threads = 2}};
  auto const zeros = Tensor<TestType>::zeros(context, {6, 8});
  loss::GaussianKl const kl;
  for (Rows const& rows : extreme_rows<T>(1)) {
    CAPTURE(rows.name);
    auto const x = rows.tensor<TestType>(context);
    auto const count = static_cast<Exact>(rows.n());
    ExactMean const of_mean{
        rows, count, [&](std::size_t, std::size_t, Exact mean) { return Term{mean * mean / 2, mean}; }};
    check_mean<TestType>({context, x, [&](auto const& mean) { return kl(mean, zeros); }}, of_mean, 1);
    ExactMean const of_variance{rows, count, [&](std::size_t, std::size_t, Exact v) {
                                  return Term{(std::expm1(v) - v) / 2, std::expm1(v) / 2};
                                }};
    check_mean<TestType>({context, x, [&](auto const& v) { return kl(zeros, v); }}, of_variance,
                         greatest(rows));
  }
}

}  // namespace diffsiam::test
