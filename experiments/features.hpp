// From a method of the table to the features of all pictures.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <diffsiam/eval/feature_join.hpp>
#include <diffsiam/model/suggest_partition.hpp>
#include <diffsiam/model/timestep_losses.hpp>

#include <experiments/baselines.hpp>
#include <experiments/curve.hpp>
#include <experiments/feature_order.hpp>
#include <experiments/learner.hpp>
#include <experiments/methods.hpp>
#include <experiments/patches.hpp>
#include <experiments/turned.hpp>

namespace experiments {

struct MethodResult {
  FeatureSet z;
  std::optional<ds::TimestepPartition> partition{};  ///< where z has subsets, or takes part in their control
  std::optional<ds::DiffSiam<B>> model{};            ///< where there is a decoder
  std::vector<double> dim_steps{};                   ///< where each dim of z is said to be lost, if it is
};

[[nodiscard]] inline ds::unet::Config denoiser_config(ExperimentData const& data, std::uint64_t seed = 0) {
  auto config = ds::unet::Config::for_small(data.channels());
  config.seed = seed;
  return config;
}

[[nodiscard]] inline ds::TimestepPartition uniform_partition(Recipe const& recipe) {
  return ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = recipe.subsets, .dims = recipe.dims});
}

namespace detail {

/// The published widths, of 512 dims and 64 subsets, brought to 64 dims and 16 subsets.
[[nodiscard]] inline ds::TimestepPartition staged_partition() {
  return ds::TimestepPartition::staged({.timesteps = 1000, .subsets = 16, .dims = 64},
                                       {{50, 2}, {100, 3}, {300, 37}, {500, 12}, {1000, 10}});
}

/// Where z gives most back, by a pilot of a third of the steps without siamese half.
[[nodiscard]] inline ds::TimestepPartition suggested_partition(Run const& run, ds::UNet<B> const& denoiser,
                                                               ds::TimestepPartition const& uniform) {
  Run pilot = run;
  pilot.stage = "pilot";
  pilot.recipe.siamese = Siamese::none;
  pilot.recipe.steps = std::max<std::uint64_t>(1, run.recipe.steps / 3);
  auto const encoder = encoder_of(pilot, uniform);
  Learner const learner{pilot, encoder, denoiser};
  (void)train_by_recipe(pilot, learner, [](std::uint64_t) {});
  ds::data::Dataset const& unseen = run.data->pictures.validation;
  auto const part = unseen.slice(0, std::min<ds::Index>(200, unseen.size()));
  auto const images = images_of(*run.context, part);
  std::vector<int> steps;
  for (int t = 12; t < uniform.timesteps(); t += 25) steps.push_back(t);
  auto const losses = ds::model::timestep_losses(*learner.model, images, encoder(images), steps,
                                                 {.draws = 2, .rng = {.seed = 1}});
  auto const gains = ds::model::weighted_gains(learner.model->schedule(), losses);
  return ds::model::suggest_partition(
      {.timesteps = uniform.timesteps(), .subsets = uniform.subsets(), .dims = uniform.dims()}, steps, gains);
}

/// What z under a KL penalty says is what its noise lets through: measures see it with noise, as the decoder
/// does.
inline void add_noise(B::Context& context, FeatureSet& z, std::uint64_t seed) {
  ds::Rng rng{.seed = seed, .stream = 900};
  for (auto* part : {&z.train, &z.validation, &z.test}) {
    auto const noise =
        ds::diffusion::normal<B>(context, {static_cast<ds::Index>(part->size())}, rng).values();
    std::transform(part->begin(), part->end(), noise.begin(), part->begin(), std::plus<>{});
    rng = rng.with_stream(rng.stream + 1);
  }
}

/// A PDAE whose z is turned, and whose decoder then learns to read subsets of it.
[[nodiscard]] inline MethodResult by_turn(Run const& run, ds::UNet<B> const& denoiser, Curve& curve) {
  Learner const pdae = trained_pdae(run, denoiser);
  TurnedLatent const turned = turn_latent(run, pdae);
  ds::TimestepPartition const partition =
      run.recipe.widths == Widths::lost_steps
          ? ds::encoder::partition_by_lost_steps(1000, run.recipe.subsets, turned.dim_steps)
          : uniform_partition(run.recipe);
  auto const encoder = pdae.encoder.with_partition(partition);
  ds::model::fold_latent_map(encoder, pdae.model->decoder(), turned.map);
  ds::DiffSiam<B> const model{encoder, pdae.model->decoder(), {}, LossWeighting{run.recipe.p2_k}};
  train_decoder(run, pdae, model);
  MethodResult result{encode_parts(run, model.encoder()), partition, model, turned.dim_steps};
  curve.look(model.encoder(), run.recipe.steps + run.recipe.decoder_steps);
  return result;
}

/// An encoder that is trained for order in a PDAE's features, and a decoder that then learns to read it.
[[nodiscard]] inline MethodResult by_feature_order(Run const& run, ds::UNet<B> const& denoiser,
                                                   Curve& curve) {
  auto const partition = uniform_partition(run.recipe);
  Learner const learner{run, encoder_of(run, partition), denoiser};
  auto const noisy = [&](FeatureSet z) {
    add_noise(*run.context, z, run.seed);
    return z;
  };
  train_order(run, trained_pdae(run, denoiser), learner.encoder,
              [&](std::uint64_t step) { curve.add(noisy(curve.features(learner.encoder)), step); });
  train_decoder(run, learner, *learner.model);
  return {noisy(encode_parts(run, learner.encoder)), partition, learner.model};
}

/// z, and beside it the components of the denoiser's activations that the recipe asks for. They are found
/// without the encoder, so that their curve is none of the method's.
[[nodiscard]] inline FeatureSet with_activations(Run const& run, ds::UNet<B> const& denoiser, FeatureSet z) {
  if (run.recipe.activations == 0) return z;
  Curve apart{run};
  FeatureSet const seen = denoiser_features(run, denoiser, run.recipe.activations, apart);
  auto const parts = [&](auto which) {
    return std::array{features_of(z.*which, z.dims), features_of(seen.*which, seen.dims)};
  };
  auto const join = ds::eval::FeatureJoin::fit(parts(&FeatureSet::train));
  return {join.dims(), join(parts(&FeatureSet::train)), join(parts(&FeatureSet::validation)),
          join(parts(&FeatureSet::test))};
}

[[nodiscard]] inline MethodResult by_recipe(Run const& run, ds::UNet<B> const& denoiser, Curve& curve) {
  Recipe const& recipe = run.recipe;
  auto partition = uniform_partition(recipe);
  if (recipe.widths == Widths::staged) partition = staged_partition();
  if (recipe.widths == Widths::suggested) partition = suggested_partition(run, denoiser, partition);
  auto const encoder = encoder_of(run, partition);
  Learner const learner{run, encoder, denoiser};
  auto const noise = [&](FeatureSet& z) {
    if (recipe.kl_weight > 0) add_noise(*run.context, z, run.seed);
  };
  std::optional<ds::data::Partners> partners;
  if (recipe.neighbours > 0)
    partners = denoiser_partners(*run.context, denoiser, run.data->pictures.train, recipe.neighbours,
                                 run.context->threads());
  auto const look = [&](std::uint64_t step) {
    FeatureSet z = curve.features(encoder);
    noise(z);
    curve.add(z, step);
  };
  (void)train_by_recipe(run, learner, look, std::move(partners));
  FeatureSet z = encode_parts(run, encoder);
  noise(z);
  MethodResult result{with_activations(run, denoiser, std::move(z))};
  if (recipe.diffusion && recipe.activations == 0) result.partition = partition;
  result.model = learner.model;
  return result;
}

}  // namespace detail

/// Trains what there is to train; `run` has the method's recipe.
[[nodiscard]] inline MethodResult features_by(Method const& method, Run const& run,
                                              ds::UNet<B> const& denoiser, Curve& curve) {
  auto const pixels = [&] {
    return feature_parts(run, run.data->pictures.train.image_size(),
                         [](ds::data::Dataset const& part) { return part.units(); });
  };
  switch (method.source) {
    case Source::encoder:
      break;
    case Source::denoiser:
      return {denoiser_features(run, denoiser, run.recipe.dims, curve)};
    case Source::autoencoder:
      return {detail::with_activations(run, denoiser, autoencoder_features(run, curve))};
    case Source::beta_vae:
      return {detail::with_activations(run, denoiser, beta_vae_features(run, curve))};
    case Source::pca:
      return {detail::with_activations(run, denoiser,
                                       pca_features(pixels(), run.recipe.dims, run.context->threads()))};
    case Source::patches:
      return {patch_features(run)};
    case Source::pixels:
      return {pixels()};
    case Source::untrained_encoder:
      // Also the control of the map: what its subsets hold, no training has put there.
      return {encode_parts(run, plain_encoder(run, run.recipe.dims)), uniform_partition(run.recipe)};
    case Source::classifier:
      return {supervised_features(run, curve)};
  }
  if (run.recipe.turn != Turn::none) return detail::by_turn(run, denoiser, curve);
  if (run.recipe.feature_order) return detail::by_feature_order(run, denoiser, curve);
  return detail::by_recipe(run, denoiser, curve);
}

}  // namespace experiments
