// Micro-batches of any sizes add up to their whole.
#include <string>
#include <utility>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/train/sgd.hpp>
#include <diffsiam/train/step.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using train::MicroBatch;

namespace {

using B = backend::Reference<double>;

}  // namespace

TEST_CASE("Two micro-batches give the gradient of their whole", "[train][step]") {
  B::Context context;
  OneWeight<B> const module{Parameter<B>(random_tensor<B>(context, {1, 3}, Rng{3}))};
  auto const x = random_tensor<B>(context, {6, 3}, Rng{4});
  auto const loss = [&](Tape<B>& tape, Tensor<B> const& part) {
    auto const y = ops::linear(tape.input(part), module.weight);
    return ops::mean(y * y);
  };
  auto const start = module.weight.value().clone();
  auto const moved = [&](int accumulate) {
    module.weight.value().assign(start);
    train::Sgd<B> sgd{nn::parameters(module)};
    train::TrainStep step{sgd, {.accumulate = accumulate}};
    auto const statistics = step([&](Tape<B>& tape, MicroBatch const& at) {
      return loss(tape, x.samples(at.index * 6 / accumulate, (at.index + 1) * 6 / accumulate));
    });
    return std::pair{module.weight.value().values(), statistics.loss};
  };
  auto const [whole, whole_loss] = moved(1);
  auto const [halves, halves_loss] = moved(2);
  CHECK(whole != start.values());
  for (std::size_t i = 0; i < 3; ++i) CHECK(halves[i] == Approx(whole[i]).epsilon(1e-12));
  CHECK(halves_loss == Approx(whole_loss).epsilon(1e-12));
}

TEST_CASE("Micro-batches of unequal size count by their images, as in their whole", "[train][step]") {
  B::Context context;
  OneWeight<B> const module{Parameter<B>(random_tensor<B>(context, {1, 3}, Rng{3}))};
  auto const x = random_tensor<B>(context, {6, 3}, Rng{4});
  auto const start = module.weight.value().clone();
  auto const moved = [&](std::vector<Index> const& ends, bool tell = true) {
    module.weight.value().assign(start);
    train::Sgd<B> sgd{nn::parameters(module)};
    train::TrainStep step{sgd, {.accumulate = static_cast<int>(ends.size())}};
    auto const statistics = step([&](Tape<B>& tape, MicroBatch const& at) {
      auto const i = static_cast<std::size_t>(at.index);
      Index const begin = i == 0 ? 0 : ends[i - 1];
      auto const y = ops::linear(tape.input(x.samples(begin, ends[i])), module.weight);
      auto const error = ops::mean(y * y);
      return train::Losses<B, 1>{
          .total = error, .parts = {{{"error", error.value()}}}, .images = tell ? ends[i] - begin : 0};
    });
    return std::pair{module.weight.value().values(), statistics};
  };
  auto const [whole, of_whole] = moved({6});
  auto const check_same = [&](std::vector<Index> const& ends) {
    auto const [weights, statistics] = moved(ends);
    for (std::size_t i = 0; i < 3; ++i) CHECK(weights[i] == Approx(whole[i]).epsilon(1e-12));
    CHECK(statistics.loss == Approx(of_whole.loss).epsilon(1e-12));
    CHECK(statistics.parts[0].value == Approx(of_whole.loss).epsilon(1e-12));
    CHECK(statistics.gradient_norm.value() == Approx(of_whole.gradient_norm.value()).epsilon(1e-12));
    CHECK(statistics.images == 6);
  };
  check_same({4, 6});
  check_same({1, 6});
  check_same({2, 3, 6});
  // Where nobody tells of images all count alike: the mean of the means.
  CHECK(moved({4, 6}, false).second.loss != Approx(of_whole.loss).epsilon(1e-3));
  CHECK(moved({3, 6}, false).first == moved({3, 6}).first);
}

TEST_CASE("Images are told of by all micro-batches of a step or by none", "[train][step]") {
  B::Context context;
  SmallNet<B> const net{context};
  train::Sgd<B> sgd{nn::parameters(net)};
  train::TrainStep step{sgd, {.accumulate = 2}};
  auto const with = [&](Index first, Index second) {
    return [&, first, second](Tape<B>& tape, MicroBatch const& at) {
      SmallBatch<B> const batch{context, 0};
      return train::Losses<B, 0>{.total = squared_error(net(tape.input(batch.x)), batch.target),
                                 .parts = {},
                                 .images = at.index == 0 ? first : second};
    };
  };
  auto const before = all_values<B>(net);
  CHECK_THROWS_AS(step(with(4, 0)), ConfigError);
  CHECK_THROWS_AS(step(with(-4, -4)), ConfigError);
  CHECK_THROWS_WITH(step(with(0, 4)), contains("Losses::images") && contains("got 4 in micro-batch 2 and 0"));
  CHECK(all_values<B>(net) == before);
  CHECK(step(with(0, 0)).images == 0);
}
