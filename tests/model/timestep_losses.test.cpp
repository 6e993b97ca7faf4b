// Losses at single time-steps.
#include <algorithm>
#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/model/timestep_losses.hpp>

using namespace diffsiam;
using diffsiam::test::Approx;
using diffsiam::test::contains;
using B = backend::Cpu<double>;

namespace {

struct Setting {
  B::Context context{{.threads = 1}};
  test::SmallModel<B> small{context};
  Tensor<B> images = diffusion::normal<B>(context, {3, 8, 8, 1}, {.seed = 1});
  Tensor<B> z = small.model.encode(images);
  std::vector<int> steps{0, 5, 11};

  [[nodiscard]] diffusion::Noised<B> noised(int t, Rng const& rng) {
    auto const same = diffusion::same_timestep<B>(context, 3, t);
    auto const noise = diffusion::normal<B>(context, images.shape(), rng);
    return {add_noise(small.model.schedule(), images, same, noise), same, noise};
  }
};

double mean_square(std::vector<double> const& a, std::vector<double> const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

}  // namespace

TEST_CASE("Step losses are those of training, without its weighting, on the same noise") {
  Setting s;
  auto const losses =
      model::timestep_losses(s.small.model, s.images, s.z, s.steps, {.rng = {.seed = 4, .step = 7}});
  auto const weight = diffusion::SnrPower{};
  REQUIRE(losses.size() == 3);
  for (auto const& at : losses) {
    CAPTURE(at.t);
    auto const noised = s.noised(at.t, {.seed = 4, .step = 7});
    double const lambda = weight(s.small.model.schedule(), at.t);
    CHECK(lambda * at.denoiser == Approx(s.small.model.denoiser_loss(noised).item()).epsilon(1e-12));
    CHECK(lambda * at.shifted == Approx(s.small.model.diffusion_loss(s.z, noised).item()).epsilon(1e-12));
  }
  CHECK(losses[0].gain() == 0);  // c_0 = 0
  CHECK(losses[1].gain() != 0);
  auto const gains = model::weighted_gains(s.small.model.schedule(), losses);
  CHECK(gains[2] == Approx(weight(s.small.model.schedule(), 11) * losses[2].gain()).epsilon(1e-12));
}

TEST_CASE("Only what t reveals of z counts") {
  Setting s;
  auto const other = s.z.clone();
  SampleGrid const hidden{3, 1, 4};  // subsets 2 and 3, read from t = 6 on
  B::for_each(s.context, hidden.grid(), functional::Assign<double>{3},
              hidden.full(other.data() + 4, other.shape().channels()));
  auto const one = model::timestep_losses(s.small.model, s.images, s.z, s.steps);
  auto const two = model::timestep_losses(s.small.model, s.images, other, s.steps);
  CHECK(one[1].shifted == two[1].shifted);
  CHECK(one[2].shifted != two[2].shifted);
}

TEST_CASE("Draws are averaged, and a predictor alone loses what the denoiser does") {
  Setting s;
  auto const both = model::timestep_losses(s.small.model, s.images, s.z, s.steps, {.draws = 2});
  for (std::size_t i = 0; i < s.steps.size(); ++i) {
    double sum = 0;
    for (std::uint64_t step = 0; step < 2; ++step) {
      auto const noised = s.noised(s.steps[i], {.step = step});
      sum += mean_square(s.small.denoiser(noised.x_t, noised.t).values(), noised.noise.values());
    }
    CHECK(both[i].denoiser == Approx(sum / 2).epsilon(1e-12));
  }
  auto const schedule = s.small.model.schedule();
  auto const alone = model::timestep_losses(schedule, diffusion::PlainNoise{s.small.denoiser, schedule},
                                            s.images, s.steps, {.draws = 2});
  for (std::size_t i = 0; i < s.steps.size(); ++i) {
    CHECK(alone[i].denoiser == Approx(both[i].denoiser).epsilon(1e-12));
    CHECK(alone[i].gain() == 0);
  }
}

TEST_CASE("The loss of a predictor of x_0 or v is that of the eps it implies, also where no signal is left") {
  Setting s;
  auto const schedule = s.small.model.schedule().with_zero_terminal_snr();
  std::vector<int> const steps{3, 11};
  for (auto const target : {diffusion::PredictionTarget::x_0, diffusion::PredictionTarget::v}) {
    diffusion::PlainNoise const predict{s.small.denoiser, schedule, target};
    auto const losses = model::timestep_losses(schedule, predict, s.images, steps, {.rng = {.seed = 9}});
    auto const noise = diffusion::normal<B>(s.context, s.images.shape(), {.seed = 9});
    auto const t = diffusion::same_timestep<B>(s.context, s.images.shape().samples(), 3);
    auto const x_t = diffusion::add_noise(schedule, s.images, t, noise);
    auto const pair = diffusion::convert_prediction(schedule, 3, target, diffusion::PredictionTarget::eps);
    auto const eps = ops::linear_combination(pair.x_t, x_t, pair.prediction, s.small.denoiser(x_t, t));
    CHECK(losses[0].denoiser == Approx(mean_square(eps.values(), noise.values())).epsilon(1e-12));
    CHECK(losses[1].denoiser == 0);  // x_t is eps
  }
}

TEST_CASE("Step losses refuse what they cannot look at") {
  Setting s;
  std::vector<int> const beyond{12}, none;
  CHECK_THROWS_WITH(model::timestep_losses(s.small.model, s.images, s.z, beyond),
                    contains("timestep_losses") && contains("[0, 12)"));
  CHECK_THROWS_AS(model::timestep_losses(s.small.model, s.images, s.z, none), RangeError);
  CHECK_THROWS_AS(model::timestep_losses(s.small.model, s.images, s.z.samples(0, 2), s.steps), ShapeError);
  CHECK_THROWS_AS(model::timestep_losses(s.small.model, s.images, s.z, s.steps, {.draws = 0}), ConfigError);
  CHECK_THROWS_AS(model::timestep_losses(s.small.model, s.images.samples(0, 0), s.z.samples(0, 0), s.steps),
                  ShapeError);
}
