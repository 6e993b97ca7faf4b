// What a dry run predicts is what happens: peak bytes within a tenth, gaps included within two tenths at
// worst, shapes and FLOPs exactly.
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/compiled/cpu_bfloat16.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

using namespace diffsiam;

namespace {

/// Images, noise and a step of DiffSiam training, on any backend.
template <class V, class B>
void step(typename V::Context& context, DiffSiam<B> const& model, Index batch) {
  Tensor<V> const images{context, {batch, 28, 28, 1}};
  images.fill(0.1F);
  auto const noised = add_noise(model.schedule(), images, Rng{.seed = 1});
  Tape<V> tape{context};
  tape.backward(model.diffusion_loss(model.encode(tape.input(images)), noised));
}
template <class V, class B>
void denoiser_step(typename V::Context& context, UNet<B> const& denoiser, Index batch) {
  NoiseSchedule const schedule = NoiseSchedule::linear();
  Tensor<V> const images{context, {batch, 28, 28, 1}};
  images.fill(0.1F);
  auto const noised = add_noise(schedule, images, Rng{.seed = 1});
  Tape<V> tape{context};
  tape.backward(loss::Noise{schedule}(denoiser(tape.input(noised.x_t), noised.t), noised));
}

/// With Catch's GENERATE and SECTION.
template <class B>
void check_predicted_bytes() {
  using Dry = backend::DryRun<B>;
  int const threads = GENERATE(1, 2);
  Index const batch = GENERATE(8, 32);
  typename B::Context context{{.threads = threads}};
  MemoryPool& memory = context.memory();
  UNet<B> const denoiser{
      context,
      {.in_channels = 1, .base_channels = 16, .multipliers = {1, 2, 2}, .blocks_per_level = 1, .groups = 8}};
  auto const run_twice = [&](auto const& model, auto const& run, auto const& dry_run) {
    train::Adam<B> const adam{parameters(model)};  // allocates moments and gradients
    std::size_t const held = memory.live_bytes();
    memory.reset_peak();
    for (int i = 0; i < 2; ++i) run();
    Estimate const predicted = estimate(dry_run, threads);
    auto const live = static_cast<double>(memory.peak_bytes() - held);
    auto const touched = static_cast<double>(memory.touched_bytes());
    CAPTURE(held, live, touched, predicted.peak_bytes, predicted.touched_bytes);
    CHECK(static_cast<double>(predicted.peak_bytes) == test::Approx(live).epsilon(0.1));
    // Of a few segments of a few blocks each, one that is cut otherwise is much.
    bool const few = batch < 32 || backend::MixedPrecision<B>;
    CHECK(static_cast<double>(held + predicted.touched_bytes) ==
          test::Approx(touched).epsilon(few ? 0.2 : 0.1));
    CHECK(predicted.touched_bytes >= predicted.peak_bytes);
  };
  SECTION("denoiser") {
    run_twice(
        denoiser, [&] { denoiser_step<B>(context, denoiser, batch); },
        [&](auto& dry) { denoiser_step<Dry>(dry, denoiser, batch); });
  }
  SECTION("diffsiam") {
    ModularEncoder<B> const encoder{context, {.backbone = encoder::ConvBackbone<B>::Config::for_small()}};
    DiffSiam<B> const model{encoder, ShiftDecoder<B>{context, denoiser, {.latent_dims = 64}}};
    run_twice(
        model, [&] { step<B>(context, model, batch); }, [&](auto& dry) { step<Dry>(dry, model, batch); });
  }
}

}  // namespace

TEST_CASE("A dry run predicts the live and the touched bytes of training steps") {
  check_predicted_bytes<backend::Cpu<float>>();
}
TEST_CASE("So it does where activations are bfloat16") {
  check_predicted_bytes<backend::Cpu<float, BFloat16>>();
}

using B = backend::Cpu<float>;

TEST_CASE("The published networks have the published numbers of parameters") {
  B::Context context;
  auto const count = [](auto const& module, bool trainable_only) {
    Index total = 0;
    nn::for_each_leaf(module, [&](auto const&, auto const& leaf) {
      if (!trainable_only || leaf.trainable()) total += leaf.shape().size();
    });
    return total;
  };
  TimestepPartition const partition = TimestepPartition::published();
  SECTION("64 px") {
    UNet<B> const denoiser{context, {.in_channels = 3}};
    ShiftDecoder<B> const decoder{context, denoiser, {.latent_dims = 512}};
    CHECK(count(denoiser, false) == 63958019);
    CHECK(count(decoder, true) == 52007811);
    CHECK(count(ModularEncoder<B>{context,
                                  {.backbone = encoder::ConvBackbone<B>::Config::for_64px(),
                                   .partition = partition}},
                false) == 1487104);
  }
  SECTION("128 px") {
    CHECK(count(ModularEncoder<B>{context,
                                  {.backbone = encoder::ConvBackbone<B>::Config::for_128px(),
                                   .partition = partition}},
                false) == 3914240);
  }
}

TEST_CASE("A summary counts a convolution as the direct algorithm does") {
  B::Context context;
  nn::Init<B> init{context, 1};
  nn::Conv2d<B> const conv{init, {.in = 3, .out = 5, .stride = 2}};
  auto const summary = nn::summary(conv, Shape{2, 8, 6, 3});
  CHECK(summary.output == Shape{2, 4, 3, 5});
  CHECK(summary.parameters == 3 * 9 * 5 + 5);
  CHECK(summary.evaluation.flops == 2.0 * 2 * 4 * 3 * 5 * 27);
}
