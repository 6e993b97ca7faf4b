#include <cmath>

#include <tests/loss/exact_mean.hpp>
#include <tests/support/values.hpp>

#include <diffsiam/loss/latent_noise.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("The latent loss is the mean distance from the noise, whatever the time-step", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  Make<TestType> make;
  diffusion::Noised<TestType> const noised{{}, make({2}, {3, 900}), make({2, 2}, {1, 1, 0, -2})};
  check_values(loss::LatentNoise{}(make({2, 2}, {2, -2, 0, 3}), noised), {}, {(1 + 3 + 0 + 5) / 4.0});
}

TEMPLATE_TEST_CASE("The latent loss is right, or infinite, for values of any magnitude", "",
                   backend::Cpu<float>, backend::Reference<double>) {
  using T = typename TestType::Scalar;
  typename TestType::Context context{{.threads = 2}};
  Rows const target = extreme_rows<T>(2)[0];
  ExactRows const aims = target.exact();
  diffusion::Noised<TestType> const noised{
      {}, Tensor<TestType>::zeros(context, {6}), target.tensor<TestType>(context)};
  for (Rows const& rows : extreme_rows<T>(1)) {
    CAPTURE(rows.name);
    auto const count = static_cast<Exact>(rows.values.size());
    ExactMean const exact{rows, count, [&](std::size_t i, std::size_t j, Exact x) {
                            Exact const e = x - aims[i][j];
                            return Term{std::abs(e), std::copysign(Exact(e != 0), e)};
                          }};
    Played<TestType> const played{context, rows.tensor<TestType>(context),
                                  [&](auto const& p) { return loss::LatentNoise{}(p, noised); }};
    check_mean<TestType>(played, exact, 4 / count);
  }
}

}  // namespace diffsiam::test
