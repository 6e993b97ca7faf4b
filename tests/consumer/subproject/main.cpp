// A user's program with parts of its own: a noise schedule, a predictor, a backbone, a head, a loss and an
// augmentation.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/step.hpp>

#include "own_backbone.hpp"
#include "own_head.hpp"
#include "own_loss.hpp"
#include "own_predictor.hpp"
#include "own_schedule.hpp"
#include "own_view.hpp"

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

namespace {

int failures = 0;
void check(bool good, char const* what) {
  if (good) return;
  std::fprintf(stderr, "consumer: %s\n", what);
  ++failures;
}

ds::Tensor<B> pictures(B::Context& context, std::uint64_t seed) {
  return 0.1 * ds::diffusion::normal<B>(context, {2, 4, 4, 1}, {.seed = seed});
}

void use_schedule_and_predictor() {
  auto const schedule = ds::NoiseSchedule::of(QuadraticBetas{0.05}, 50);
  check(schedule.timesteps() == 50 && schedule.betas()[49] == 0.05, "betas are those of the own schedule");
  check(schedule.abar(49) < schedule.abar(0), "noise grows with t");

  B::Context context;
  KnowsThePicture<B> const predictor{pictures(context, 1)};
  auto const sampled = ds::ddpm_sample(schedule, pictures(context, 2), predictor).values();
  auto const picture = predictor.picture.values();
  for (std::size_t i = 0; i < picture.size(); ++i)
    check(std::abs(sampled[i] - picture[i]) < 1e-4F, "sampling ends at what the own predictor predicts");
}

void train_backbone_and_head() {
  using Encoder = ds::ModularEncoder<B, OneConvolution<B>, UnitHead<B>>;
  B::Context context;
  Encoder const encoder{
      context, {.partition = ds::TimestepPartition::uniform({.timesteps = 50, .subsets = 2, .dims = 4})}};
  auto const target = ds::Tensor<B>::filled(context, {2, 4}, 0.5F);
  ds::train::Adam<B> adam{ds::parameters(encoder), {.learning_rate = 0.02}};
  ds::train::TrainStep step{adam};
  std::vector<double> losses;
  for (int i = 0; i < 30; ++i) {
    auto const told = step([&](ds::Tape<B>& tape, ds::train::MicroBatch const&) {
      return ds::loss::MeanSquaredError{}(encoder(tape.input(pictures(context, 3))), target);
    });
    check(told.without_gradient.empty(), "all weights of backbone and head learn");
    losses.push_back(told.loss);
  }
  check(losses.back() < 0.5 * losses.front(), "an encoder of own parts learns");
  auto const z = encoder(pictures(context, 3)).values();
  check(z.size() == 8 && std::abs(std::hypot(z[0], z[1], std::hypot(z[2], z[3])) - 1) < 1e-4F,
        "z is what the own head makes");
}

void learn_by_own_loss() {
  B::Context context;
  BarlowTwins const loss{.lambda = 0.5};
  auto const of = [&](std::vector<float> const& z) {
    auto const both = ds::Tensor<B>::from(context, {4, 2}, z);
    return loss(both, both).item();
  };
  check(std::abs(of({1, 1, 1, -1, -1, 1, -1, -1})) < 1e-4F, "dims without correlation cost nothing");
  check(std::abs(of({1, 3, 1, 3, -1, 1, -1, 1}) - 1) < 1e-4F, "dims that are one cost lambda d (d - 1)");

  auto const view = ds::diffusion::normal<B>(context, {8, 3}, {.seed = 5});
  auto z = ds::diffusion::normal<B>(context, {8, 3}, {.seed = 6});
  double const before = loss(z, view).item();
  for (int i = 0; i < 20; ++i) {
    ds::Tape<B> tape{context};
    auto const variable = tape.variable(z);
    tape.backward(loss(variable, tape.input(view)));
    z = z - 0.5 * variable.gradient();
  }
  check(loss(z, view).item() < 0.5 * before, "the own loss has a gradient to go down");
}

void draw_views() {
  ds::data::TwoViews const views{Negative{}};
  std::vector<float> const picture(16, 0.25F), negative(16, -0.25F);
  std::vector<float> view(16);
  ds::data::AugmentScratch scratch;
  int negatives = 0;
  for (std::uint64_t step = 0; step < 40; ++step) {
    views(0, picture, {4, 4, 1}, 1, step, view, scratch);
    check(view == picture || view == negative, "a view is what the own augmentation makes");
    negatives += view == negative ? 1 : 0;
  }
  check(negatives > 5 && negatives < 35, "about one view in two is a negative");
}

}  // namespace

int main() {
  use_schedule_and_predictor();
  train_backbone_and_head();
  learn_by_own_loss();
  draw_views();
  return failures == 0 ? 0 : 1;
}
