// What docs/concepts/ shows of noise, networks, losses, samplers and values. A page takes what stands between
// two marks of its name.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/model/interpolate.hpp>
#include <diffsiam/train/adam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;
using diffsiam::test::contains;
using Small = diffsiam::test::SmallModel<B>;

namespace {

ds::Tensor<B> noise_pictures(B::Context& context, std::uint64_t seed, ds::Index n = 2) {
  return ds::diffusion::normal<B>(context, {n, 8, 8, 1}, {.seed = seed});
}

//! [own_schedule]
struct LateNoise {
  double operator()(int t, int timesteps) const { return 2 * t < timesteps ? 1e-4 : 0.02; }
};
//! [own_schedule]

}  // namespace

TEST_CASE("the page on noise schedules shows what runs") {
  B::Context context;
  auto const x_0 = noise_pictures(context, 1);
  //! [schedule]
  auto const schedule = ds::NoiseSchedule::linear(1000, 1e-4, 0.02);
  double const signal = schedule.abar(300);  // 0.394: how much of the variance is still the picture
  auto const noised = ds::add_noise(schedule, x_0, {.seed = 1, .step = 7});  // x_t, t, noise
  auto const own = ds::NoiseSchedule::of(LateNoise{}, 1000);
  auto const lost = ds::diffusion::lost_at(schedule, 10, 0.25);  // 629: pictures at distance 10 are confused
  //! [schedule]
  CHECK(signal == diffsiam::test::Approx(0.39401).margin(1e-5));
  CHECK(noised.x_t.shape() == x_0.shape());
  CHECK(own.betas()[999] == 0.02);
  CHECK(lost == 629);
  //! [schedule_errors]
  CHECK_THROWS_WITH(ds::NoiseSchedule::linear(1000, 1e-4, 2.0),
                    contains("NoiseSchedule::linear: expected every beta inside (0, 1), got beta[500] = 1."));
  CHECK_THROWS_WITH(schedule.abar(1000), "NoiseSchedule::abar: expected a time-step in [0, 1000), got 1000");
  CHECK_THROWS_WITH(ds::loss::Noise{schedule.with_zero_terminal_snr()},
                    contains("use v prediction or x_0 prediction"));
  //! [schedule_errors]
}

TEST_CASE("the page on the partition shows what runs") {
  //! [partition]
  // The compiler builds the table, and refuses one that cannot be.
  constexpr auto even = ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 16, .dims = 64});
  static_assert(even.subset_of(999) == 15 && even.end(0) == 4);
  constexpr auto published = ds::TimestepPartition::published();  // 64 subsets, 512 dims
  // Widths of your own: 8 dims for the steps below 500, 24 for the rest.
  auto const staged =
      ds::TimestepPartition::staged({.timesteps = 1000, .subsets = 4, .dims = 32}, {{500, 8}, {1000, 24}});
  //! [partition]
  CHECK(published.dims() == 512);
  CHECK(staged.end(1) == 8);
  B::Context context;
  auto const z = ds::Tensor<B>::filled(context, {2, 64}, 1);
  auto const t = ds::Tensor<B>::from(context, {2}, std::span<float const>{std::array{0.0F, 999.0F}});
  //! [reveal]
  auto const revealed = ds::reveal(even, z, t);  // (2, 64): 4 columns at t = 0, all of them at t = 999
  //! [reveal]
  auto const values = revealed.values();
  CHECK(std::count(values.begin(), values.begin() + 64, 1.0F) == 4);
  CHECK(std::count(values.begin() + 64, values.end(), 1.0F) == 64);
  //! [partition_errors]
  CHECK_THROWS_WITH(ds::TimestepPartition::uniform({.timesteps = 1000, .subsets = 16, .dims = 8}),
                    "TimestepPartition: expected no more subsets than the 8 dims of z, got 16 subsets; "
                    "every subset needs a dim of its own");
  CHECK_THROWS_WITH(ds::reveal(even, ds::Tensor<B>::zeros(context, {2, 32}), t),
                    contains("reveal: expected (2, 64), got (2, 32)"));
  //! [partition_errors]
}

TEST_CASE("the page on encoders shows what runs") {
  B::Context context;
  //! [encoder]
  using Backbone = ds::encoder::ConvBackbone<B>;
  auto const partition = ds::TimestepPartition::uniform({.subsets = 16, .dims = 64});
  ds::ModularEncoder<B> const encoder{
      context, {.backbone = Backbone::Config::for_small(3, 32), .partition = partition}};  // 32 x 32, colour
  auto const z = encoder(ds::Tensor<B>::zeros(context, {5, 32, 32, 3}));                   // (5, 64)
  // One small perceptron for each subset in place of one linear layer:
  ds::ModularEncoder<B, Backbone, ds::encoder::SubsetHeads<B>> const apart{
      context, {.backbone = Backbone::Config::for_small(3, 32), .partition = partition}};
  //! [encoder]
  CHECK(z.shape() == ds::Shape{5, 64});
  CHECK(apart.latent_dims() == 64);
  //! [encoder_errors]
  // Pictures of PyTorch are (n, c, h, w); those of this library are (n, h, w, c).
  CHECK_THROWS_WITH(encoder(ds::Tensor<B>::zeros(context, {5, 3, 32, 32})), contains("got (5, 3, 32, 32)"));
  //! [encoder_errors]
}

TEST_CASE("the page on the decoder shows what runs") {
  B::Context context;
  auto const schedule = ds::NoiseSchedule::linear();
  //! [decoder]
  ds::UNet<B> const denoiser{context, ds::unet::Config::for_small(1, 8)};     // trained first
  ds::ShiftDecoder<B> const decoder{context, denoiser, {.latent_dims = 16}};  // freezes it
  auto const partition = ds::TimestepPartition::uniform({.subsets = 4, .dims = 16});
  auto const noised = ds::add_noise(schedule, ds::Tensor<B>::zeros(context, {2, 28, 28, 1}), {.seed = 1});
  auto const z = ds::Tensor<B>::filled(context, {2, 16}, 0.5F);
  auto const [eps, gradient] = decoder(noised.x_t, noised.t, ds::reveal(partition, z, noised.t));
  //! [decoder]
  CHECK(eps.shape() == gradient.shape());
  for (float const g : gradient.values()) REQUIRE(g == 0);  // before training
  //! [decoder_errors]
  CHECK_THROWS_WITH(denoiser(ds::Tensor<B>::zeros(context, {2, 30, 30, 1}), noised.t),
                    contains("UNet: expected sides that are multiples of 4, got (2, 30, 30, 1)"));
  CHECK_THROWS_WITH(
      (ds::UNet<B>{context, {.base_channels = 24}}),
      contains("UNet: expected channels that divide into 32 groups, got 24 channels at level 0; "
               "set groups to a divisor of base_channels"));
  //! [decoder_errors]
}

TEST_CASE("the page on losses shows what runs") {
  B::Context context;
  Small const small{context};
  auto const& model = small.model;
  auto const images = noise_pictures(context, 1, 4);
  ds::NtXentHalf<B> const siamese{context, {.head = {.dims = 8, .hidden = 8, .out = 8}}};
  auto const views = noise_pictures(context, 2, 8);  // 4 pictures in two views
  //! [losses]
  ds::Tape<B> tape{context};
  auto const noised = ds::add_noise(model.schedule(), images, {.seed = 1});
  auto const loss = model.diffusion_loss(model.encode(tape.input(images)), noised) +
                    0.05 * siamese(model.encode(tape.input(views)));
  tape.backward(loss);
  //! [losses]
  CHECK(std::isfinite(loss.value().item()));
  //! [loss_errors]
  CHECK_THROWS_WITH(ds::loss::NtXent{}(ds::Tensor<B>::zeros(context, {3, 8})),
                    "NtXent: expected (2 n, d) with n >= 2: view 1, then view 2, got (3, 8)");
  CHECK_THROWS_WITH(tape.backward(loss),
                    "Tape::backward: expected a fresh tape, got one that was played; record again");
  //! [loss_errors]
}

TEST_CASE("the page on samplers shows what runs") {
  B::Context context;
  Small const small{context};
  auto const& model = small.model;
  auto const x_0 = noise_pictures(context, 1), y_0 = noise_pictures(context, 2);
  //! [sampling]
  auto const grid = ds::TimeGrid::linspace(model.schedule().timesteps(), 10);  // ten evaluations
  auto const x_T = ds::diffusion::normal<B>(context, x_0.shape(), {.seed = 3});
  // The denoiser alone, from noise to pictures:
  auto const samples = ds::ddim_sample<B>(
      model.schedule(), grid, x_T, ds::diffusion::PlainNoise{model.decoder().denoiser(), model.schedule()});
  // With z: a reconstruction, and a picture with two subsets of another one.
  auto const again = model.reconstruct(x_0, grid);
  auto const z = model.encode(x_0);
  ds::model::Origin<B> const from{model.infer_noise(x_0, z, grid), z}, to{{}, model.encode(y_0)};
  std::vector<ds::model::SubsetRange> const ranges{{2, 4}};
  auto const edited = ds::model::counterfactuals(model, from, to, ranges, grid);
  //! [sampling]
  CHECK(samples.shape() == x_T.shape());
  CHECK(again.shape() == x_0.shape());
  CHECK(edited.front().shape() == x_0.shape());
  //! [sampling_errors]
  CHECK_THROWS_WITH(ds::TimeGrid::leading(1000, 300),
                    "TimeGrid::leading: expected a number of steps that divides 1000, got 300; "
                    "linspace takes any number of steps");
  CHECK_THROWS_WITH(model.sample(x_T, z, ds::TimeGrid::linspace(1000, 50)),
                    "TimeGrid::decode: expected a schedule of 1000 time-steps, got 12");
  CHECK_THROWS_WITH(ds::ddim_encode<B>(model.schedule(), grid, x_0, model.guided(z), {.eta = 0.5}),
                    contains("only the deterministic process can be inverted"));
  //! [sampling_errors]
}

TEST_CASE("the page on values shows what runs") {
  B::Context context;
  //! [values]
  ds::UNet<B> const unet{context, ds::unet::Config::for_small(1, 8)};
  auto const x = ds::Tensor<B>::zeros(context, {4, 28, 28, 1});
  auto const t = ds::Tensor<B>::zeros(context, {4});

  auto const plain = unet(x, t);  // runs; nothing is recorded

  ds::Tape<B> tape{context};
  auto const taped = unet(tape.input(x), t);  // runs, and can be trained
  tape.backward(ds::loss::MeanSquaredError{}(taped, x));

  auto const traced = ds::summary(unet, ds::Shape{4, 28, 28, 1}, ds::Shape{4});  // nothing runs
  // traced.parameters, traced.evaluation.flops, traced.evaluation.peak_bytes
  //! [values]
  CHECK(plain.shape() == traced.output);
  CHECK(traced.evaluation.flops > 0);
  //! [estimate]
  // The memory of a training step on 64 pictures, from the code that will run the step:
  auto const cost = ds::estimate([&](auto& dry) {
    using Dry = ds::backend::DryRun<B>;
    ds::Tape<Dry> recorded{dry};
    auto const pictures = recorded.input(ds::Traced<B>{dry, {64, 28, 28, 1}});
    auto const result = unet(pictures, ds::Traced<B>{dry, {64}});
    recorded.backward(ds::loss::MeanSquaredError{}(result, ds::Traced<B>{dry, {64, 28, 28, 1}}));
  });
  //! [estimate]
  CHECK(cost.peak_bytes > traced.evaluation.peak_bytes);
  //! [value_errors]
  CHECK_THROWS_WITH(tape.backward(taped), contains("Tape::backward: expected a loss with one element"));
  CHECK_THROWS_WITH(plain.item(), contains("(4, 28, 28, 1)"));
  //! [value_errors]
}

TEST_CASE("the page on backends shows what runs") {
  //! [backend]
  ds::backend::Cpu<float>::Context context{{.threads = 2}};  // 0, the default: all cores
  ds::backend::Reference<double>::Context reference;         // plain loops, to compare with
  using Mixed = ds::backend::Cpu<float, ds::BFloat16>;       // large activations in 16 bits
  auto const bytes = context.memory().peak_bytes();          // what tensors have needed so far
  //! [backend]
  CHECK(bytes == 0);
  STATIC_REQUIRE(ds::backend::Backend<Mixed>);
  (void)reference;
}
