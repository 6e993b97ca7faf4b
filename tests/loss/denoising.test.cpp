// What a denoiser is trained towards, worked out by hand, and that the samplers' conversions read it back.
#include <cmath>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/loss/denoising.hpp>
#include <diffsiam/loss/diffusion_loss.hpp>

using namespace diffsiam;
using diffsiam::test::Approx;
using diffsiam::test::contains;
using diffusion::PredictionTarget;
using B = backend::Reference<double>;

namespace {

/// abar = .64 at t = 0 and .16 at t = 1: a = .8 and .4, s = .6 and sqrt(.84).
diffusion::NoiseSchedule schedule_of_two() {
  return diffusion::NoiseSchedule::from_betas(std::vector{0.36, 0.75});
}
Tensor<B> tensor(B::Context& context, Shape const& shape, std::vector<double> const& values) {
  return Tensor<B>::from(context, shape, std::span<double const>(values));
}

}  // namespace

TEST_CASE("the denoising loss aims at eps, x_0 or v", "[loss]") {
  B::Context context;
  auto const schedule = schedule_of_two();
  auto const x_0 = tensor(context, {2, 1, 1, 1}, {0.5, -1}), noise = tensor(context, {2, 1, 1, 1}, {2, 3});
  auto const t = tensor(context, {2}, {0, 1});
  diffusion::Noised<B> const noised{diffusion::add_noise(schedule, x_0, t, noise), t, noise};
  auto const prediction = tensor(context, {2, 1, 1, 1}, {1, 1});
  auto const loss = [&](PredictionTarget target) {
    return loss::Denoising{schedule, target}(prediction, x_0, noised).item();
  };
  CHECK(loss(PredictionTarget::eps) == Approx((1 + 4) / 2.0));
  CHECK(loss(PredictionTarget::x_0) == Approx((0.25 + 4) / 2.0));
  double const v_0 = 0.8 * 2 - 0.6 * 0.5, v_1 = 0.4 * 3 + std::sqrt(0.84);
  CHECK(loss(PredictionTarget::v) == Approx(((v_0 - 1) * (v_0 - 1) + (v_1 - 1) * (v_1 - 1)) / 2));
  CHECK(loss::Noise{schedule}(prediction, noised).item() == loss(PredictionTarget::eps));
  // Only the first sample counts.
  auto const first = [](diffusion::NoiseSchedule const&, int step) { return step == 0 ? 1.0 : 0.0; };
  CHECK(loss::Denoising{schedule, PredictionTarget::x_0, first}(prediction, x_0, noised).item() ==
        Approx(0.125));
}

TEST_CASE("what the loss aims at is what samplers read of x_0", "[loss]") {
  B::Context context;
  auto const schedule = schedule_of_two();
  for (int step : {0, 1}) {
    auto const x_0 = tensor(context, {1, 1, 1, 1}, {0.5}), noise = tensor(context, {1, 1, 1, 1}, {-1.5});
    auto const t = tensor(context, {1}, {static_cast<double>(step)});
    diffusion::Noised<B> const noised{diffusion::add_noise(schedule, x_0, t, noise), t, noise};
    for (auto const target : {PredictionTarget::eps, PredictionTarget::x_0, PredictionTarget::v}) {
      double const aim = diffusion::training_target(schedule, step, target)(0.5, -1.5);
      CHECK(loss::Denoising{schedule, target}(tensor(context, {1, 1, 1, 1}, {aim}), x_0, noised).item() ==
            Approx(0).margin(1e-30));
      auto const read = diffusion::convert_prediction(schedule, step, target, PredictionTarget::x_0);
      CHECK(read(noised.x_t.item(), aim) == Approx(0.5));
    }
  }
}

TEST_CASE("without terminal SNR v and x_0 can be learned, eps is refused", "[loss]") {
  auto const schedule = diffusion::NoiseSchedule::linear(10, 0.1, 0.9).with_zero_terminal_snr();
  CHECK_THROWS_WITH((loss::Denoising{schedule, PredictionTarget::eps}), contains("use v prediction"));
  CHECK_NOTHROW(loss::Denoising{schedule, PredictionTarget::v});
  CHECK_NOTHROW(loss::Denoising{schedule, PredictionTarget::x_0});
}
