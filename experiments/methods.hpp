// Every method of the table by its name: from pictures to features.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/model/step_losses.hpp>
#include <diffsiam/model/suggest_partition.hpp>

#include <experiments/baselines.hpp>
#include <experiments/curve.hpp>
#include <experiments/learner.hpp>
#include <experiments/recipe.hpp>

namespace example {

/// The rows of the table, ours first.
[[nodiscard]] inline std::vector<std::string> method_names() {
  std::vector<std::string> names = recipe_names();
  names.insert(names.end(), {"denoiser_features", "autoencoder", "beta_vae", "pca", "raw_pixels",
                             "random_encoder", "supervised"});
  return names;
}

struct MethodResult {
  FeatureSet z;
  std::optional<ds::TimestepPartition> partition{};  ///< where z has subsets, or takes part in their control
  std::optional<ds::DiffSiam<B>> model{};            ///< where there is a decoder
};

[[nodiscard]] inline ds::unet::Config denoiser_config(ExperimentData const& data) {
  return ds::unet::Config::for_small(data.channels());
}

namespace detail {

/// The published widths, of 512 dims and 64 subsets, brought to 64 dims and 16 subsets.
[[nodiscard]] inline ds::TimestepPartition staged_partition() {
  return ds::TimestepPartition::staged({.timesteps = 1000, .subsets = 16, .dims = 64},
                                       {{50, 2}, {100, 3}, {300, 37}, {500, 12}, {1000, 10}});
}

[[nodiscard]] inline ds::TimestepPartition uniform_partition(Recipe const& recipe) {
  return ds::TimestepPartition::uniform(
      {.timesteps = 1000, .subsets = recipe.subsets, .dims = static_cast<int>(recipe.dims)});
}

/// Where z gives most back, by a pilot of a third of the steps without siamese half.
[[nodiscard]] inline ds::TimestepPartition suggested_partition(Run const& run, ds::UNet<B> const& denoiser,
                                                               ds::TimestepPartition const& uniform) {
  Run pilot = run;
  pilot.recipe = recipe_of("diffusion_only", run.recipe);
  pilot.recipe.method = "pilot";
  pilot.recipe.steps = std::max<std::uint64_t>(1, run.recipe.steps / 3);
  auto const encoder = encoder_of(pilot, uniform);
  Learner const learner{pilot, encoder, denoiser};
  (void)train_by_recipe(pilot, learner, [](std::uint64_t) {});
  ds::data::Dataset const& unseen = run.data->pictures.validation;
  auto const part = unseen.slice(0, std::min<ds::Index>(200, unseen.size()));
  auto const units = part.units();
  auto const images = ds::Tensor<B>::from(*run.context, part.shape(), std::span<float const>{units});
  std::vector<int> steps;
  for (int t = 12; t < uniform.timesteps(); t += 25) steps.push_back(t);
  auto const losses = ds::model::step_losses(*learner.model, images, encoder(images), steps,
                                             {.draws = 2, .rng = {.seed = 1}});
  auto const gains = ds::model::weighted_gains(learner.model->schedule(), losses);
  return ds::model::suggest_partition(
      {.timesteps = uniform.timesteps(), .subsets = uniform.subsets(), .dims = uniform.dims()}, steps, gains);
}

/// What a priced z says is what its noise lets through: measures see it with noise, as the decoder does.
inline void add_noise(B::Context& context, FeatureSet& z, std::uint64_t seed) {
  ds::Rng rng{.seed = seed, .stream = 900};
  for (auto* part : {&z.train, &z.validation, &z.test}) {
    auto const noise =
        ds::diffusion::normal<B>(context, {static_cast<ds::Index>(part->size())}, rng).values();
    std::transform(part->begin(), part->end(), noise.begin(), part->begin(), std::plus<>{});
    rng = rng.with_stream(rng.stream + 1);
  }
}

[[nodiscard]] inline MethodResult by_recipe(Run const& run, ds::UNet<B> const& denoiser, Curve& curve) {
  Recipe const& recipe = run.recipe;
  auto partition = uniform_partition(recipe);
  if (recipe.widths == Widths::staged) partition = staged_partition();
  if (recipe.widths == Widths::suggested) partition = suggested_partition(run, denoiser, partition);
  auto const encoder = encoder_of(run, partition);
  Learner const learner{run, encoder, denoiser};
  auto const noise = [&](FeatureSet& z) {
    if (recipe.price > 0) add_noise(*run.context, z, run.seed);
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
  MethodResult result{encode_parts(*run.context, encoder, run.data->pictures)};
  noise(result.z);
  if (recipe.diffusion) result.partition = partition;
  result.model = learner.model;
  return result;
}

}  // namespace detail

/// Trains what there is to train. Throws ConfigError for a name that is no method.
[[nodiscard]] inline MethodResult features_by(std::string_view method, Run run, ds::UNet<B> const& denoiser,
                                              Curve& curve) {
  Pictures const& pictures = run.data->pictures;
  auto const recipes = recipe_names();
  if (std::find(recipes.begin(), recipes.end(), method) != recipes.end()) {
    run.recipe = recipe_of(method, run.recipe);
    return detail::by_recipe(run, denoiser, curve);
  }
  run.recipe.method = method;
  if (method == "denoiser_features") return {denoiser_features(run, denoiser, curve)};
  if (method == "autoencoder") return {autoencoder_features(run, curve)};
  if (method == "beta_vae") return {beta_vae_features(run, curve)};
  if (method == "supervised") return {supervised_features(run, curve)};
  if (method == "raw_pixels") return {raw_pixels(pictures)};
  if (method == "pca") return {pca_features(raw_pixels(pictures), run.recipe.dims, run.context->threads())};
  // The untrained encoder is also the control of the map: what its subsets hold, no training has put there.
  if (method == "random_encoder")
    return {encode_parts(*run.context, plain_encoder(run, run.recipe.dims), pictures),
            detail::uniform_partition(run.recipe)};
  ds::fail<ds::ConfigError>("--method", "a method of the table", method, "--list names them");
}

}  // namespace example
