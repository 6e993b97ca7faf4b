// A few training steps of everything, whose allocations are counted; the counting malloc is in
// steps.test.cpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/data/loader.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::test {

inline std::atomic<bool> counting{false};
inline std::atomic<std::size_t> large_allocations{0}, largest{0};

/// Checks that from the third step on nothing above 1 KiB is allocated, the loader's threads included.
template <class B>
void check_steps() {
  typename B::Context context{{.threads = 2}};
  std::vector<std::uint8_t> pixels(96 * 28 * 28);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7919 % 251);
  Index const batch = 32;
  data::Loader loader{data::Dataset::from(pixels, {96, 28, 28, 1}),
                      {.batch_size = batch, .seed = 1, .views = data::TwoViews{data::AugmentConfig::grey()}}};

  UNet<B> const denoiser{
      context,
      {.in_channels = 1, .base_channels = 16, .multipliers = {1, 2, 2}, .blocks_per_level = 1, .groups = 8}};
  ModularEncoder<B> const encoder{context, {.backbone = encoder::ConvBackbone<B>::Config::for_small()}};
  DiffSiam<B> const model{encoder, ShiftDecoder<B>{context, denoiser, {.latent_dims = 64}}};
  SimSiamHalf<B> const simsiam{context, {.dims = 64}};
  NtXentHalf<B> const nt_xent{context, {}};
  auto const list = parameters(model, simsiam, nt_xent);
  train::Adam<B> adam{list};
  train::Ema<B> ema{list};
  train::TrainStep step{adam, {.accumulate = 2, .max_norm = 1}, train::ConstantRate{}, &ema};
  auto const loss = [&](Tape<B>& tape, train::MicroBatch const& at) {
    auto const data = loader.next();
    auto const images = Tensor<B>::from(context, data.shape, data.images);
    Tensor<B> const views{context, data.shape.with_samples(2 * batch)};
    views.samples(0, batch).assign(data.views[0]);
    views.samples(batch, 2 * batch).assign(data.views[1]);
    auto const z = model.encode(tape.input(views));
    auto const diffusion =
        model.diffusion_loss(model.encode(tape.input(images)), add_noise(model.schedule(), images, at.rng));
    return diffusion + 0.01 * simsiam(z) + 0.01 * nt_xent(z);
  };
  step(loss);
  step(loss);
  large_allocations = 0;
  largest = 0;
  counting = true;
  for (int i = 0; i < 5; ++i) step(loss);
  counting = false;
  INFO("largest: " << largest.load() << " bytes");
  CHECK(large_allocations == 0);
}

}  // namespace diffsiam::test
