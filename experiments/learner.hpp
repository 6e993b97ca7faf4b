// What a recipe trains, and how: one encoder, and beside it the halves that the recipe asks for.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/eval/mean_over_flips.hpp>

#include <experiments/data_sets.hpp>
#include <experiments/recipe.hpp>
#include <experiments/settings.hpp>
#include <experiments/support/measures.hpp>
#include <experiments/support/training.hpp>
#include <experiments/support/weighting.hpp>

namespace experiments {

using B = ds::backend::Cpu<float>;  // what every experiment runs on

/// Which run of training, and where its files stand.
struct Run {
  B::Context* context;
  ExperimentData const* data;
  std::string stage;  ///< names its files
  Recipe recipe;
  std::filesystem::path folder;
  std::uint64_t seed = 0;
  bool resume = false;
};

/// How such a run encodes pictures.
[[nodiscard]] inline ds::eval::EncodeConfig encoding_of(Run const& run) {
  auto config = encoding_of(run.data->pictures.train);
  config.average_flips = run.recipe.average_flips == 1;
  return config;
}
/// Of all pictures.
template <class Encoder>
[[nodiscard]] FeatureSet encode_parts(Run const& run, Encoder const& encoder) {
  return encode_parts(*run.context, encoder, run.data->pictures, encoding_of(run));
}
/// The same of features that no encoder makes: rows of `dims` that f(pictures) gives.
template <class F>
[[nodiscard]] FeatureSet feature_parts(Run const& run, ds::Index dims, F const& f) {
  auto const of = [&](ds::data::Dataset const& part) {
    return run.recipe.average_flips == 1 ? ds::eval::mean_over_flips(part, f) : f(part);
  };
  auto const& [train, validation, test] = run.data->pictures;
  return {dims, of(train), of(validation), of(test)};
}

/// An encoder with the parts that its recipe trains it by.
struct Learner {
  using Backend = B;
  ds::ModularEncoder<B> encoder;
  std::optional<ds::DiffSiam<B>> model{};  ///< holds the same encoder
  std::optional<ds::NtXentHalf<B>> nt_xent{};
  std::optional<ds::SimSiamHalf<B>> simsiam{};
  std::optional<ds::VicRegHalf<B>> vicreg{};

  Learner(Run const& run, ds::ModularEncoder<B> const& which, ds::UNet<B> const& denoiser) : encoder(which) {
    Recipe const& recipe = run.recipe;
    B::Context& context = *run.context;
    if (recipe.diffusion) {
      ds::ShiftDecoder<B> decoder{context, denoiser, {.latent_dims = recipe.dims, .seed = run.seed + 2}};
      model.emplace(encoder, decoder, ds::DiffSiam<B>::Config{.gradient_mode = recipe.gradient_mode},
                    LossWeighting{recipe.p2_k});
    }
    if (recipe.siamese == Siamese::nt_xent)
      nt_xent.emplace(context, ds::NtXentHalf<B>::Config{.head = {.dims = recipe.dims,
                                                                  .hidden = 2 * recipe.dims,
                                                                  .out = recipe.dims,
                                                                  .seed = run.seed + 3},
                                                         .temperature = recipe.temperature});
    if (recipe.siamese == Siamese::simsiam)
      simsiam.emplace(context, ds::SimSiamHalf<B>::Config{.dims = recipe.dims, .seed = run.seed + 3});
    if (recipe.siamese == Siamese::vicreg)
      vicreg.emplace(context, ds::VicRegHalf<B>::Config{.head = {.dims = recipe.dims,
                                                                 .hidden_dims = 2 * recipe.dims,
                                                                 // n pictures keep n - 1 dims apart at most.
                                                                 .out_dims = recipe.siamese_batch / 2,
                                                                 .seed = run.seed + 3}});
  }

  /// Joins two views of pictures, (2n, h, w, c).
  [[nodiscard]] ds::Taped<B> siamese_loss(ds::Tape<B>& tape, ds::Tensor<B> const& views) const {
    auto const z = encoder(tape.input(views));
    if (nt_xent) return (*nt_xent)(z);
    return simsiam ? (*simsiam)(z) : (*vicreg)(z);
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ds::nn::ChildName{"encoder"}, encoder);
    if (model) f(ds::nn::ChildName{"decoder", "shift_decoder"}, model->decoder());
    if (nt_xent) f(ds::nn::ChildName{"nt_xent"}, *nt_xent);
    if (simsiam) f(ds::nn::ChildName{"simsiam"}, *simsiam);
    if (vicreg) f(ds::nn::ChildName{"vicreg"}, *vicreg);
  }
};

/// All pictures of a data set, (n, h, w, c).
[[nodiscard]] inline ds::Tensor<B> images_of(B::Context& context, ds::data::Dataset const& pictures) {
  auto const units = pictures.units();
  return ds::Tensor<B>::from(context, pictures.shape(), std::span<float const>{units});
}
/// The first `count` pictures of a batch, (count, h, w, c).
[[nodiscard]] inline ds::Tensor<B> images_of(B::Context& context, ds::data::Batch const& batch,
                                             ds::Index count) {
  ds::data::Batch const few = batch.first(count);
  return ds::Tensor<B>::from(context, few.shape, few.images);
}
/// Both views of the first `count` pictures under each other, (2 count, h, w, c).
[[nodiscard]] inline ds::Tensor<B> views_of(B::Context& context, ds::data::Batch const& batch,
                                            ds::Index count) {
  ds::data::Batch const few = batch.first(count);
  ds::Tensor<B> views{context, few.shape.with_samples(2 * count)};
  for (ds::Index view = 0; view < 2; ++view)
    views.samples(view * count, (view + 1) * count).assign(few.views[static_cast<std::size_t>(view)]);
  return views;
}

/// The chosen rows of x (n, ...), in that order.
[[nodiscard]] inline ds::Tensor<B> rows(ds::Tensor<B> const& x, std::span<ds::Index const> chosen) {
  ds::Tensor<B> result{x.context(), x.shape().with_samples(static_cast<ds::Index>(chosen.size()))};
  ds::Index to = 0;
  for (ds::Index const i : chosen) {
    result.samples(to, to + 1).assign(x.samples(i, i + 1));
    ++to;
  }
  return result;
}

/// Trains `module` with Adam, a cosine schedule and an average, by loss(tape, batch, micro-batch); afterwards
/// it holds the averaged weights.
template <class M, class Loss>
StageSpeed train_module(Run const& run, M const& module, ds::data::LoaderConfig const& loading,
                        std::function<void(std::uint64_t)> look, Loss const& loss_of) {
  Recipe const& recipe = run.recipe;
  ds::train::AveragedAdam<B> training{
      ds::parameters(module),
      {.learning_rate = recipe.rate, .steps = recipe.steps, .rng = {.seed = run.seed, .stream = 20}}};
  ds::data::Loader loader{run.data->pictures.train, loading};
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    return loss_of(tape, loader.next(), at);
  };
  return run_stage({.name = run.stage,
                    .folder = run.folder,
                    .steps = recipe.steps,
                    .resume = run.resume,
                    .settings = {{"stage", run.stage},
                                 {"seed", run.seed},
                                 {"pictures", run.data->pictures.train.size()},
                                 {"recipe", json_of_settings(recipe)}},
                    .images_per_step = loading.batch_size,
                    .look = std::move(look)},
                   false, training.step, loader, loss, module);
}

/// The diffusion loss of z. Under a KL penalty z reaches the decoder with unit noise, and |z|^2/2, what the
/// noisy z may say at most in nats, joins the loss with weight kl_weight.
[[nodiscard]] inline ds::Taped<B> diffusion_half(Recipe const& recipe, ds::DiffSiam<B> const& model,
                                                 ds::Taped<B> const& z,
                                                 ds::diffusion::Noised<B> const& noised, ds::Rng const& rng) {
  if (recipe.kl_weight == 0) return model.diffusion_loss(z, noised);
  // A stream apart from those of t and eps.
  auto const noise = ds::diffusion::normal<B>(noised.t.context(), z.shape(), rng.with_stream(rng.stream + 7));
  return ds::ops::linear_combination(1, model.diffusion_loss(ds::ops::add(z, noise), noised),
                                     recipe.kl_weight / (2 * static_cast<double>(z.shape().samples())),
                                     ds::ops::sum(ds::ops::multiply(z, z)));
}

/// Trains the learner by its recipe: L = L_diffusion + w L_siamese, or one of both alone. The second view is
/// of the picture, or of one of its partners where there are any.
inline StageSpeed train_by_recipe(Run const& run, Learner const& learner,
                                  std::function<void(std::uint64_t)> look,
                                  std::optional<ds::data::Partners> partners = {}) {
  Recipe const& recipe = run.recipe;
  B::Context& context = *run.context;
  bool const siamese = recipe.siamese != Siamese::none;
  // The order is random, so the first pictures of a batch are as good as any: each half takes its own number.
  ds::Index const batch_size =
      std::max(recipe.diffusion ? recipe.batch : 0, siamese ? recipe.siamese_batch : 0);
  ds::data::LoaderConfig loading{.batch_size = batch_size, .seed = run.seed + 4};
  if (siamese) {
    loading.views = ds::data::TwoViews{recipe.views};
    loading.partners = std::move(partners);
  }
  auto const loss = [&](ds::Tape<B>& tape, ds::data::Batch const& batch, ds::train::MicroBatch const& at) {
    std::optional<ds::Taped<B>> diffusion, joined;
    if (learner.model) {
      auto const images = images_of(context, batch, recipe.batch);
      auto const noised = ds::add_noise(learner.model->schedule(), images, at.rng);
      diffusion = diffusion_half(recipe, *learner.model, learner.encoder(tape.input(images)), noised, at.rng);
    }
    if (siamese && (!diffusion || at.step >= recipe.siamese_from))
      joined = learner.siamese_loss(tape, views_of(context, batch, recipe.siamese_batch));
    auto const total = diffusion && joined
                           ? ds::ops::linear_combination(1, *diffusion, recipe.siamese_weight, *joined)
                           : ds::ops::scale(diffusion ? *diffusion : *joined, 1);
    auto const nothing = ds::Tensor<B>::zeros(context, {1});
    return ds::train::Losses<B, 2>{.total = total,
                                   .parts = {{{"diffusion", diffusion ? diffusion->value() : nothing},
                                              {"siamese", joined ? joined->value() : nothing}}},
                                   .images = loading.batch_size};
  };
  return train_module(run, learner, loading, std::move(look), loss);
}

}  // namespace experiments
