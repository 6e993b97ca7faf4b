// Same seed, same weights, whatever the number of threads.
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/compiled/cpu_bfloat16.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

using namespace diffsiam;

namespace {

/// All weights after some steps, and whether every thread had a part in them.
struct Trained {
  std::vector<float> weights;
  bool all_worked = true;
};

template <class B>
Trained train_with(int threads) {
  typename B::Context context{{.threads = threads}};
  NoiseSchedule const schedule = NoiseSchedule::linear();
  UNet<B> const denoiser{context,
                         {.in_channels = 1,
                          .base_channels = 16,
                          .multipliers = {1, 2},
                          .blocks_per_level = 1,
                          .attention_factors = {2},
                          .groups = 8,
                          .seed = 7}};
  ModularEncoder<B> const encoder{
      context,
      {.backbone = {.in_channels = 1, .height = 16, .width = 16, .channels = {32, 32}, .attention_after = -1},
       .partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 16})}};
  // Dropout and batch norm are in the race too.
  SimSiamHalf<B> const siamese{context, {.dims = 16}};
  DiffSiam<B> const model{encoder, ShiftDecoder<B>{context, denoiser, {.latent_dims = 16}}};
  nn::Dropout const dropout{0.1};
  train::Adam<B> adam{parameters(model, siamese), {.learning_rate = 1e-3}};
  for (std::uint64_t step = 0; step < 20; ++step) {
    auto const images = diffusion::normal<B>(context, {16, 16, 16, 1}, {.seed = 1, .step = step});
    Tape<B> tape{context, {.rng = {.seed = 3, .step = step}}};
    auto const z = dropout(model.encode(tape.input(images)));
    tape.backward(model.diffusion_loss(z, add_noise(schedule, images, Rng{.seed = 2, .step = step})) +
                  0.1 * siamese(z));
    adam.step();
  }
  Trained result;
  nn::for_each_leaf(model, [&](auto const&, auto const& leaf) {
    auto const values = leaf.value().values();
    result.weights.insert(result.weights.end(), values.begin(), values.end());
  });
  for (int worker = 0; worker < threads; ++worker)
    result.all_worked = result.all_worked && context.threads().pieces_done(worker) > 0;
  return result;
}

template <class B>
void check_threads() {
  Trained const one = train_with<B>(1);
  REQUIRE(one.weights.size() > 100000);
  for (int const threads : {2, 4}) {
    INFO(threads << " threads");
    Trained const many = train_with<B>(threads);
    CHECK(many.weights == one.weights);
    CHECK(many.all_worked);
  }
}

}  // namespace

TEST_CASE("Twenty steps with one, two and four threads give the same bits, and every thread worked") {
  check_threads<backend::Cpu<float>>();
}
TEST_CASE("So they do where activations are bfloat16") {
  check_threads<backend::Cpu<float, BFloat16>>();
}
