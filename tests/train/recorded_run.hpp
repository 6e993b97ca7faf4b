// A small network that is trained, step by step or recorded and replayed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <tests/train/small_net.hpp>

#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/recorded_step.hpp>

namespace diffsiam::test {

/// `width` channels: from 16 on they are in low precision, where B has mixed precision.
template <class B>
struct RecordedRun {
  using Backend = B;
  typename B::Context context;
  SmallNet<B> net;
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 1e-3}};
  train::Ema<B> ema{nn::parameters(net)};
  train::TrainStep<train::Adam<B>> step;
  train::RecordedStep<train::TrainStep<train::Adam<B>>> recorded{step};
  train::Feed<B> x{context, {4, 4, 5, 2}}, target{context, {4, 2}};

  explicit RecordedRun(Index width = 3, std::optional<train::LossScaler::Config> scaling = {})
      : net{context, 1, width},
        step{adam,
             {.accumulate = 2, .max_norm = 1, .rng = {.seed = 3}, .loss_scaling = scaling},
             train::ConstantRate{},
             &ema} {}

  void put(std::uint64_t number) {
    SmallBatch<B> const batch{context, number};
    x.put(std::span<float const>(batch.x.values()));
    target.put(std::span<float const>(batch.target.values()));
  }
  auto loss() {
    return [this](Tape<B>& tape, train::MicroBatch const& at) {
      auto const own = at.part(x.tensor());
      Tensor<B> const noise{context, own.shape()};
      B::normal(context, at.rng, noise.data(), noise.size());
      return squared_error(net(tape.input(own) + tape.input(noise)), at.part(target.tensor()));
    };
  }
};

/// The losses of the same steps, taken one by one and recorded.
struct BothWays {
  std::vector<double> ordinary, recorded;
};

/// Takes `steps` steps of two runs that begin alike: `ordinary` one by one, while `replayed` records them.
template <class Run>
[[nodiscard]] BothWays step_both_ways(Run& ordinary, Run& replayed, std::uint64_t steps) {
  BothWays losses;
  for (std::uint64_t i = 0; i < steps; ++i) {
    ordinary.put(i);
    losses.ordinary.push_back(ordinary.step(ordinary.loss()).loss);
    replayed.put(i);
    if (auto const told = replayed.recorded(replayed.loss())) losses.recorded.push_back(told->loss);
  }
  if (auto const last = replayed.recorded.finish()) losses.recorded.push_back(last->loss);
  return losses;
}

}  // namespace diffsiam::test
