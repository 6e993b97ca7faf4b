// Order by design: a trained PDAE whose z is turned, so that what noise takes first stands first
// (eval/latent_order.hpp), and whose decoder then learns to read subsets of it. Beside it the other turns
// that show what the order is worth.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/encoder/partition_by_steps.hpp>
#include <diffsiam/eval/denoised_codes.hpp>
#include <diffsiam/eval/encode.hpp>
#include <diffsiam/eval/latent_order.hpp>

#include <experiments/baselines.hpp>
#include <experiments/learner.hpp>

namespace experiments {

/// The PDAE that all turns of a seed, and the encoders trained for order, begin with. It has a folder of its
/// own beside those of the cells, so that it is trained once.
[[nodiscard]] inline Learner trained_pdae(Run const& run, ds::UNet<B> const& denoiser) {
  Run base = run;
  base.stage = "turned_pdae";
  base.folder = run.folder.parent_path() /
                (std::string(run.data->set->name) + "." + base.stage + "." + std::to_string(run.seed));
  base.resume = true;
  Recipe const unused;  // what plays no part in it
  base.recipe.turn = Turn::none;
  base.recipe.subsets = 1;
  if (base.recipe.feature_order) {  // its penalty is one of the new encoder
    base.recipe.feature_order = false;
    base.recipe.kl_weight = unused.kl_weight;
    base.recipe.gradient_mode = unused.gradient_mode;
  }
  base.recipe.decoder_steps = unused.decoder_steps;
  base.recipe.decoder_rate = unused.decoder_rate;
  base.recipe.order_pictures = unused.order_pictures;
  Learner learner{base, plain_encoder(base, base.recipe.dims), denoiser};
  ds::io::create_folder(base.folder);
  if (!run.recipe.turns_untrained) (void)train_by_recipe(base, learner, [](std::uint64_t) {});
  return learner;
}

struct TurnedLatent {
  ds::model::LatentMap map;
  std::vector<double>
      dim_steps;  ///< where each dim is lost: by the denoiser, or evenly where it is not asked
};

/// The basis of z that the recipe names.
[[nodiscard]] inline TurnedLatent turn_latent(Run const& run, Learner const& pdae) {
  namespace eval = ds::eval;
  ds::ThreadPool& threads = run.context->threads();
  ds::data::Dataset const& pictures = run.data->pictures.train;
  auto const codes = eval::encode(*run.context, pdae.encoder, pictures);
  int const dims = run.recipe.dims;
  eval::Features const z{codes, pictures.size(), dims};
  Turn const turn = run.recipe.turn;
  if (turn == Turn::random || turn == Turn::smallest_variance_first) {
    TurnedLatent result{eval::variance_order(z, 1e-7, &threads), {}};
    if (turn == Turn::random)
      result.map = eval::rotated(std::move(result.map),
                                 eval::random_rotation(dims, {.seed = run.seed, .stream = 902}));
    for (int j = 0; j < dims; ++j) result.dim_steps.push_back((j + 0.5) * 1000 / dims);
    return result;
  }
  std::vector<int> steps;
  for (int i = 1; i < 16; ++i) steps.push_back(i * 1000 / 16);
  auto const& schedule = pdae.model->schedule();
  ds::diffusion::PlainNoise const predict{pdae.model->decoder().denoiser(), schedule};
  auto const some = pictures.slice(0, std::min(run.recipe.order_pictures, pictures.size()));
  auto const denoised = eval::denoised_codes(*run.context, pdae.encoder, predict, schedule, some, steps,
                                             {.rng = {.seed = run.seed, .stream = 901}});
  eval::LatentOrder order = eval::latent_order(z, denoised, {}, &threads);
  if (turn == Turn::coarse_first) {
    order.map = eval::reversed(std::move(order.map));
    std::reverse(order.lost_steps.begin(), order.lost_steps.end());
  }
  return {std::move(order.map), std::move(order.lost_steps)};
}

/// Trains the decoder alone to read the subsets of z; the encoder stays as it is. `learner` holds both, and
/// its weights are saved under the name of the method, as those of the others are.
inline void train_decoder(Run const& run, Learner learner, ds::DiffSiam<B> const& model) {
  B::Context& context = *run.context;
  Run decoder = run;
  decoder.stage = "decoder";
  decoder.recipe.steps = run.recipe.decoder_steps;
  decoder.recipe.rate = run.recipe.decoder_rate;
  auto const loss = [&](ds::Tape<B>& tape, ds::data::Batch const& batch, ds::train::MicroBatch const& at) {
    auto const images = images_of(context, batch, run.recipe.batch);
    auto const noised = ds::add_noise(model.schedule(), images, at.rng);
    return model.diffusion_loss(tape.input(model.encode(images)), noised);
  };
  (void)train_module(
      decoder, model.decoder(), {.batch_size = run.recipe.batch, .seed = run.seed + 5}, [](std::uint64_t) {},
      loss);
  learner.encoder = model.encoder();  // with the subsets that the decoder reads
  ds::io::save_weights(run.folder / (run.stage + ".safetensors"), learner);
}

}  // namespace experiments
