// A resumed run ends bit for bit where the uninterrupted one does: stopped mid-epoch, amid an accumulation,
// with prefetch, batch norm and EMA, resumed with another number of threads.
#include <cstdint>
#include <filesystem>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/step.hpp>

using namespace diffsiam;

namespace {

using B = backend::Cpu<float>;

/// Everything that a run consists of.
struct Run {
  explicit Run(int threads, int prefetch)
      : context({.threads = threads}),
        denoiser(context, {.in_channels = 1,
                           .base_channels = 8,
                           .multipliers = {1, 2},
                           .blocks_per_level = 1,
                           .attention_factors = {2},
                           .groups = 4,
                           .dropout = 0.1}),
        encoder(context,
                {.backbone = {.in_channels = 1,
                              .height = 8,
                              .width = 8,
                              .channels = {16, 16},
                              .attention_after = -1,
                              .groups = 8},
                 .partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 8})}),
        model(encoder, ShiftDecoder<B>{context, denoiser, {.latent_dims = 8}}),
        siamese(context, {.dims = 8}),
        adam(parameters(model, siamese), {.learning_rate = 1e-2}),
        ema(parameters(model, siamese)),
        step(adam, {.accumulate = 3, .max_norm = 1, .rng = {.seed = 5}}, train::Cosine{{.steps = 8}}, &ema),
        loader(pictures(), {.batch_size = 6,
                            .seed = 9,
                            .prefetch = prefetch,
                            .views = data::TwoViews{data::AugmentConfig::grey()}}) {}

  static data::Dataset pictures() {
    std::vector<std::uint8_t> pixels(40 * 64);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7919 % 251);
    return data::Dataset::from(pixels, {40, 8, 8, 1});
  }
  Taped<B> loss(Tape<B>& tape, train::MicroBatch const& at) {
    auto const batch = loader.next();
    auto const images = Tensor<B>::from(context, batch.shape, batch.images);
    Tensor<B> const views{context, batch.shape.with_samples(12)};
    views.samples(0, 6).assign(batch.views[0]);
    views.samples(6, 12).assign(batch.views[1]);
    auto const diffusion =
        model.diffusion_loss(model.encode(tape.input(images)), add_noise(model.schedule(), images, at.rng));
    return diffusion + 0.1 * siamese(model.encode(tape.input(views)));
  }
  void micro_batches(int count) {
    for (int i = 0; i < count; ++i)
      (void)step.micro_batch([this](auto& tape, auto const& at) { return loss(tape, at); });
  }
  void save(std::filesystem::path const& path) const {
    auto const at = loader.position();
    train::Checkpoint{path}.save(step, {at.epoch, static_cast<std::uint64_t>(at.batch), 9}, model, siamese);
  }
  void resume(std::filesystem::path const& path) {
    auto const at = train::Checkpoint{path}.load(step, model, siamese);
    loader.seek({at.epoch, static_cast<Index>(at.batch)});
  }
  /// Weights, running statistics, averages and the optimizer's moments.
  [[nodiscard]] std::vector<float> everything() const {
    std::vector<float> all;
    auto const add = [&](Tensor<B> const& tensor) {
      auto const values = tensor.values();
      all.insert(all.end(), values.begin(), values.end());
    };
    nn::for_each_leaf(model, [&](auto const&, auto const& leaf) { add(leaf.value()); });
    nn::for_each_leaf(siamese, [&](auto const&, auto const& leaf) { add(leaf.value()); });
    ema.for_each_state([&](auto const&, auto const& state, auto const&...) { add(state); });
    adam.for_each_state([&](auto const&, auto const& state, auto const&...) { add(state); });
    return all;
  }

  B::Context context;
  UNet<B> denoiser;
  ModularEncoder<B> encoder;
  DiffSiam<B> model;
  SimSiamHalf<B> siamese;
  train::Adam<B> adam;
  train::Ema<B> ema;
  train::TrainStep<train::Adam<B>, train::Cosine> step;
  data::Loader loader;
};

}  // namespace

TEST_CASE("A run that was interrupted anywhere ends where the uninterrupted one does") {
  test::Scratch const folder;
  auto const path = folder / "checkpoint.safetensors";
  Run whole{1, 0};
  whole.micro_batches(24);
  REQUIRE(whole.step.steps() == 8);

  // 6 batches an epoch, 3 a step: 7 is in the second epoch and amid a step, 9 between two steps.
  int const before = GENERATE(7, 9);
  {
    Run first{2, 3};
    first.micro_batches(before);
    first.save(path);
    first.micro_batches(2);  // lost
  }
  Run second{4, 2};
  second.resume(path);
  second.micro_batches(24 - before);
  CHECK(second.step.steps() == 8);
  CHECK(second.everything() == whole.everything());

  // The comparison can fail: one batch at another place, and the runs part.
  Run strayed{1, 0};
  strayed.resume(path);
  strayed.loader.seek({0, 0});
  strayed.micro_batches(24 - before);
  CHECK(strayed.everything() != whole.everything());
}
