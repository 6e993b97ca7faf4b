// The methods DiffSiam is compared with, on the same pictures and with the same encoder.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/eval/pca.hpp>
#include <diffsiam/model/autoencoder.hpp>
#include <diffsiam/model/beta_vae.hpp>
#include <diffsiam/model/classifier.hpp>

#include <experiments/curve.hpp>
#include <experiments/learner.hpp>
#include <experiments/support/activations.hpp>

namespace experiments {

/// What probes read of a model: encoder(x) and its width.
template <class Model>
struct CodeOf {
  using Backend = B;
  Model const& model;
  ds::Index dims;
  [[nodiscard]] ds::Tensor<B> operator()(ds::Tensor<B> const& x) const { return model.encode(x); }
  [[nodiscard]] ds::Index latent_dims() const { return dims; }
};

inline constexpr ds::Index baseline_batch = 128;

[[nodiscard]] inline typename ds::encoder::ConvBackbone<B>::Config backbone_config(Run const& run) {
  return backbone_for<B>(run.recipe.encoder_width, run.data->channels(), run.data->side());
}
/// The encoder of every method, with the subsets of `partition`.
[[nodiscard]] inline ds::ModularEncoder<B> encoder_of(Run const& run,
                                                      ds::TimestepPartition const& partition) {
  return {*run.context, {.backbone = backbone_config(run), .partition = partition, .seed = run.seed + 1}};
}
/// The same without subsets.
[[nodiscard]] inline ds::ModularEncoder<B> plain_encoder(Run const& run, ds::Index dims) {
  return encoder_of(
      run, ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 1, .dims = static_cast<int>(dims)}));
}
[[nodiscard]] inline ds::encoder::ConvDecoder<B> mirrored_decoder(Run const& run) {
  auto config = ds::encoder::ConvDecoder<B>::Config::mirror_of(backbone_config(run), run.recipe.dims);
  config.seed = run.seed + 2;
  return {*run.context, config};
}

/// Trains `module` by loss_of(images, batch, micro-batch).
template <class M, class Loss>
void train_on_images(Run const& run, M const& module, std::function<void(std::uint64_t)> look,
                     Loss const& loss_of) {
  auto const loss = [&](ds::Tape<B>& tape, ds::data::Batch const& batch, ds::train::MicroBatch const& at) {
    return loss_of(tape.input(images_of(*run.context, batch, batch.shape.samples())), batch, at);
  };
  ds::Index const batch = std::min(baseline_batch, run.data->pictures.train.size());
  (void)train_module(run, module, {.batch_size = batch, .seed = run.seed + 4}, std::move(look), loss);
}
/// The same, and its features.
template <class M, class Loss>
[[nodiscard]] FeatureSet train_baseline(Run const& run, M const& model, Curve& curve, Loss const& loss_of) {
  CodeOf<M> const code{model, run.recipe.dims};
  train_on_images(run, model, [&](std::uint64_t step) { curve.look(code, step); }, loss_of);
  return encode_parts(run, code);
}

[[nodiscard]] inline FeatureSet autoencoder_features(Run const& run, Curve& curve) {
  ds::model::Autoencoder<B> const model{plain_encoder(run, run.recipe.dims), mirrored_decoder(run)};
  return train_baseline(run, model, curve,
                        [&](auto const& x, auto const&, auto const&) { return model.loss(x); });
}

[[nodiscard]] inline FeatureSet beta_vae_features(Run const& run, Curve& curve) {
  ds::model::BetaVae<B> const model{
      plain_encoder(run, 2 * run.recipe.dims), mirrored_decoder(run), {.beta = run.recipe.beta}};
  return train_baseline(run, model, curve, [&](auto const& x, auto const&, auto const& at) {
    return model.loss(x, at.rng.with_stream(at.rng.stream + 1));
  });
}

/// The encoder of the methods with a head for each factor.
using FactorReader = ds::model::Classifier<B>;
[[nodiscard]] inline FactorReader factor_reader(Run const& run) {
  return {*run.context,
          plain_encoder(run, run.recipe.dims),
          {.classes = run.data->factors.levels, .seed = run.seed + 2}};
}
/// Its loss, told the factors.
[[nodiscard]] inline auto reading_loss(Run const& run, FactorReader const& reader) {
  return [&](auto const& x, ds::data::Batch const& batch, auto const&) {
    return reader.loss(x, run.data->factors.of_training(batch.indices));
  };
}

/// The ceiling.
[[nodiscard]] inline FeatureSet supervised_features(Run const& run, Curve& curve) {
  FactorReader const reader = factor_reader(run);
  return train_baseline(run, reader, curve, reading_loss(run, reader));
}

/// `dims` principal components of the frozen denoiser's activations at the time-step whose features tell most
/// on validation pictures.
[[nodiscard]] inline FeatureSet denoiser_features(Run const& run, ds::UNet<B> const& denoiser, ds::Index dims,
                                                  Curve& curve) {
  constexpr std::array<int, 6> candidates{10, 50, 100, 200, 300, 500};
  ds::ThreadPool& threads = run.context->threads();
  auto const code_at = [&](int t) { return activations_at(t, denoiser, run.data->pictures.train); };
  Pictures few = run.data->pictures;
  few.train = few.train.slice(0, std::min<ds::Index>(10000, few.train.size()));
  few.test = few.validation;
  int best = candidates.front();
  double best_accuracy = -1;
  for (int const t : candidates) {
    FeatureSet const z =
        pca_features(encode_parts(*run.context, code_at(t), few, encoding_of(run)), dims, threads);
    double const accuracy = curve.add(z, static_cast<std::uint64_t>(t)).value;
    if (accuracy > best_accuracy) best_accuracy = accuracy, best = t;
  }
  say("best time-step on validation pictures: " + std::to_string(best));
  return pca_features(encode_parts(run, code_at(best)), dims, threads);
}

}  // namespace experiments
