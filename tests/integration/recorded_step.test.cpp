// The whole method as a recorded step: neither diffusion nor siamese loss needs the host in between. On the
// kernels of the Cuda backend, stepped through on the host.
#include <span>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/testing/stepped_backend.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/recorded_step.hpp>

namespace diffsiam::test {

namespace {

using B = testing::Stepped<float>;

struct Run {
  B::Context context;
  SmallModel<B> small{context};
  SimSiamHalf<B> siamese{context, {.dims = 8}};
  train::Adam<B> adam{parameters(small.model, siamese), {.learning_rate = 1e-2}};
  train::Ema<B> ema{parameters(small.model, siamese)};
  train::TrainStep<train::Adam<B>> step{
      adam, {.max_norm = 1, .rng = {.seed = 5}}, train::ConstantRate{}, &ema};
  train::RecordedStep<train::TrainStep<train::Adam<B>>> recorded{step, {.warm_up = 1}};
  train::Feed<B> images{context, {2, 8, 8, 1}}, views{context, {4, 8, 8, 1}};

  auto loss() {
    return [this](Tape<B>& tape, train::MicroBatch const& at) {
      auto const& model = small.model;
      auto const noised = add_noise(model.schedule(), images.tensor(), at.rng);
      auto const diffusion = model.diffusion_loss(model.encode(tape.input(images.tensor())), noised);
      auto const likeness = siamese(model.encode(tape.input(views.tensor())));
      return train::Losses<B, 2>{.total = diffusion + 0.1 * likeness,
                                 .parts = {{{"diffusion", diffusion.value()}, {"siamese", likeness.value()}}},
                                 .images = 2};
    };
  }
  void put(unsigned number) {
    auto const draw = [&](Index n, std::uint32_t stream) {
      return diffusion::normal<B>(context, {n, 8, 8, 1}, {.seed = 1, .stream = stream, .step = number})
          .values();
    };
    images.put(std::span<float const>(draw(2, 0)));
    views.put(std::span<float const>(draw(4, 1)));
  }
  /// Weights and averages.
  [[nodiscard]] std::vector<float> values() const {
    std::vector<float> result;
    auto const add = [&](Tensor<B> const& tensor) {
      auto const values = tensor.values();
      result.insert(result.end(), values.begin(), values.end());
    };
    nn::for_each_leaf(small.model, [&](auto const&, auto const& leaf) { add(leaf.value()); });
    nn::for_each_leaf(siamese, [&](auto const&, auto const& leaf) { add(leaf.value()); });
    ema.for_each_state([&](auto const&, Tensor<B> const& state, auto const&) { add(state); });
    return result;
  }
};

}  // namespace

TEST_CASE("DiffSiam learns the same, bit for bit, when its step is recorded") {
  Run ordinary, replayed;
  std::vector<double> expected, actual;
  for (unsigned i = 0; i < 4; ++i) {
    ordinary.put(i);
    expected.push_back(ordinary.step(ordinary.loss()).loss);
    replayed.put(i);
    if (auto const told = replayed.recorded(replayed.loss())) actual.push_back(told->loss);
  }
  REQUIRE(replayed.recorded.recorded());
  actual.push_back(replayed.recorded.finish()->loss);
  CHECK(actual == expected);
  CHECK(replayed.values() == ordinary.values());
}

}  // namespace diffsiam::test
