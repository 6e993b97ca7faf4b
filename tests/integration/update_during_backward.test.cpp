// Weights that move during the backward pass end bit for bit where those of ordinary steps do, for less
// memory by about all gradients.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/optimizers.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/sgd.hpp>
#include <diffsiam/train/step.hpp>
#include <diffsiam/train/together.hpp>

using namespace diffsiam;

namespace {

using B = backend::Cpu<float>;

struct Outcome {
  std::vector<float> everything;  ///< weights, running statistics, averages, states
  std::vector<double> losses;
  std::size_t peak_bytes = 0, bytes_between = 0;  ///< above what is held before the steps; after them
  std::size_t gradient_bytes = 0;
};

/// Five steps of diffusion and the siamese half, whose heads have batch norm.
template <class MakeOptimizer>
Outcome train_five(bool during, bool averages, MakeOptimizer const& with_optimizer) {
  B::Context context{{.threads = 2}};
  UNet<B> const denoiser{context,
                         {.in_channels = 1,
                          .base_channels = 32,
                          .multipliers = {1, 2, 4},
                          .blocks_per_level = 1,
                          .attention_factors = {4},
                          .groups = 8,
                          .dropout = 0.1}};
  ModularEncoder<B> const encoder{
      context,
      {.backbone = {.in_channels = 1,
                    .height = 8,
                    .width = 8,
                    .channels = {16, 16},
                    .attention_after = -1,
                    .groups = 8},
       .partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 8})}};
  DiffSiam<B> const model{encoder, ShiftDecoder<B>{context, denoiser, {.latent_dims = 8}}};
  SimSiamHalf<B> const siamese{context, {.dims = 8}};
  auto const list = nn::parameters(model, siamese);
  train::Ema<B> ema{list};

  Outcome outcome;
  auto const add = [&](Tensor<B> const& tensor) {
    auto const values = tensor.values();
    outcome.everything.insert(outcome.everything.end(), values.begin(), values.end());
  };
  auto const loss = [&](Tape<B>& tape, train::MicroBatch const& at) {
    Tensor<B> const images{context, {2, 8, 8, 1}}, views{context, {8, 8, 8, 1}};
    B::normal(context, at.rng, images.data(), images.size());
    B::normal(context, at.rng.with_stream(7), views.data(), views.size());
    auto const noised = add_noise(model.schedule(), images, at.rng);
    auto const diffusion = model.diffusion_loss(model.encode(tape.input(images)), noised);
    // In some steps the heads receive no gradient, and still move by their momentum.
    if (at.step % 2 == 1) return diffusion;
    return diffusion + 0.1 * siamese(model.encode(tape.input(views)));
  };
  with_optimizer(nn::parameters(model), nn::parameters(siamese), [&](auto& optimizer) {
    outcome.gradient_bytes = static_cast<std::size_t>(optimizer.parameters().size()) * sizeof(float);
    train::TrainStep step{optimizer,
                          {.measure_norm = false, .rng = {.seed = 3}, .update_during_backward = during},
                          train::Warmup{3},
                          averages ? &ema : nullptr};
    auto const held = context.memory().live_bytes();
    context.memory().reset_peak();
    for (int i = 0; i < 5; ++i) outcome.losses.push_back(step(loss).loss);
    // From where both began: ordinary steps hold their gradients before the first.
    outcome.peak_bytes = context.memory().peak_bytes() - (during ? held : held - outcome.gradient_bytes);
    outcome.bytes_between = context.memory().live_bytes();
    optimizer.for_each_state([&](std::string const&, auto const& state) { add(state); });
  });
  for (auto const& entry : list.parameters) add(entry.parameter.value());
  for (auto const& entry : list.buffers) add(entry.buffer.value());
  ema.for_each_state([&](std::string const&, auto const& state, auto const&) { add(state); });
  return outcome;
}

template <class MakeOptimizer>
void compare(MakeOptimizer const& with_optimizer) {
  bool const averages = GENERATE(true, false);
  Outcome const apart = train_five(false, averages, with_optimizer);
  Outcome const during = train_five(true, averages, with_optimizer);
  REQUIRE(std::ranges::all_of(apart.everything, [](float value) { return std::isfinite(value); }));
  CHECK(during.losses == apart.losses);
  CHECK((during.everything == apart.everything));  // millions: not to be printed
  CAPTURE(apart.peak_bytes, during.peak_bytes, apart.gradient_bytes);
  auto const saved = static_cast<double>(apart.peak_bytes) - static_cast<double>(during.peak_bytes);
  auto const gradients = static_cast<double>(apart.gradient_bytes);
  CHECK(saved > 0.8 * gradients);
  CHECK(saved < 1.05 * gradients);
  auto const between = static_cast<double>(apart.bytes_between) - static_cast<double>(during.bytes_between);
  CHECK(between == test::Approx(gradients).epsilon(0.05));
}

}  // namespace

TEST_CASE("Weights that move during the backward pass end where ordinary steps end, for less memory") {
  SECTION("one optimizer") {
    compare([](auto const& model, auto const& siamese, auto const& use) {
      train::Adam<B> adam{test::joined(model, siamese), {.learning_rate = 1e-2}};
      use(adam);
    });
  }
  SECTION("two, each by its schedule") {
    compare([](auto const& model, auto const& siamese, auto const& use) {
      train::AdamW<B> adam{model, {.learning_rate = 1e-2}};
      train::Sgd<B> sgd{siamese};
      train::Scheduled halving{sgd, [](std::uint64_t step) { return step == 0 ? 1.0 : 0.5; }};
      train::Together both{adam, halving};
      use(both);
    });
  }
}
