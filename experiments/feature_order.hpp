// Order by training: a new encoder that learns, by loss::FeatureOrder, what the denoiser no longer restores
// of a trained PDAE's whitened z.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/eval/denoised_codes.hpp>
#include <diffsiam/eval/latent_basis.hpp>
#include <diffsiam/eval/subset_factor_map.hpp>
#include <diffsiam/loss/feature_order.hpp>
#include <diffsiam/model/latent_map.hpp>

#include <experiments/learner.hpp>

namespace experiments {

/// Whitens the z of a PDAE: its encoder then gives variance 1 in each direction, smallest variance first.
inline void whiten_latent(Run const& run, Learner const& pdae) {
  ds::data::Dataset const& pictures = run.data->pictures.train;
  auto const codes = ds::eval::encode(*run.context, pdae.encoder, pictures);
  ds::eval::Features const z{codes, pictures.size(), pdae.encoder.latent_dims()};
  ds::model::fold_latent_map(pdae.encoder, pdae.model->decoder(),
                             ds::eval::variance_order(z, 1e-7, &run.context->threads()));
}

/// phi(x_0^) of pictures at the middle of each subset's window: a tensor (pictures, dims) for each subset.
[[nodiscard]] inline std::vector<ds::Tensor<B>> known_features(Run const& run, Learner const& pdae,
                                                               ds::TimestepPartition const& partition,
                                                               ds::data::Dataset const& pictures) {
  auto const& schedule = pdae.model->schedule();
  ds::diffusion::PlainNoise const predict{pdae.model->decoder().denoiser(), schedule};
  std::vector<int> steps;
  for (double const centre : ds::eval::subset_centres(partition)) steps.push_back(static_cast<int>(centre));
  auto const denoised = ds::eval::denoised_codes(*run.context, pdae.encoder, predict, schedule, pictures,
                                                 steps, {.rng = {.seed = run.seed, .stream = 903}});
  std::vector<ds::Tensor<B>> known;
  for (auto const& window : denoised)
    known.push_back(ds::Tensor<B>::from(*run.context, {pictures.size(), pdae.encoder.latent_dims()},
                                        std::span<float const>{window.values}));
  return known;
}

namespace detail {

struct OrderLearner {
  using Backend = B;
  ds::ModularEncoder<B> const& encoder;
  ds::loss::FeatureOrder<B> const& objective;

  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"encoder"}, encoder);
    f(ds::nn::ChildName{"objective"}, objective);
  }
};

}  // namespace detail

/// Trains `encoder` on the first order_pictures pictures, whose x_0^ are drawn once. kl_weight is the price
/// of a nat of z.
inline void train_order(Run const& run, Learner const& pdae, ds::ModularEncoder<B> const& encoder,
                        std::function<void(std::uint64_t)> look) {
  Recipe const& recipe = run.recipe;
  ExperimentData some = *run.data;
  some.pictures.train =
      some.pictures.train.slice(0, std::min(recipe.order_pictures, some.pictures.train.size()));
  whiten_latent(run, pdae);
  auto const windows = known_features(run, pdae, encoder.partition(), some.pictures.train);
  ds::loss::FeatureOrder<B> const objective{*run.context,
                                            {.partition = encoder.partition(),
                                             .features = pdae.encoder.latent_dims(),
                                             .price = recipe.kl_weight,
                                             .gradient_mode = recipe.gradient_mode}};
  auto const loss = [&](ds::Tape<B>& tape, ds::data::Batch const& batch, ds::train::MicroBatch const& at) {
    auto const images = images_of(*run.context, batch, recipe.batch);
    std::vector<ds::Tensor<B>> known;
    for (auto const& window : windows) known.push_back(rows(window, batch.indices));
    return objective(encoder(tape.input(images)), pdae.encoder(images), std::span<ds::Tensor<B> const>{known},
                     at.rng);
  };
  Run order = run;
  order.data = &some;
  order.stage = "order";
  (void)train_module(order, detail::OrderLearner{encoder, objective},
                     {.batch_size = recipe.batch, .seed = run.seed + 4}, std::move(look), loss);
}

}  // namespace experiments
