// The networks of a course, trained step by step or recorded and replayed.
#pragma once

#include <cstdint>
#include <span>

#include <tests/cuda/course.hpp>

#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/recorded_step.hpp>

namespace diffsiam::test {

/// With four pictures a step.
template <class B>
struct CourseRun {
  using Backend = B;
  typename B::Context context;
  CourseNet<B> net{context};
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 1e-3}};
  train::Ema<B> ema{nn::parameters(net)};
  train::TrainStep<train::Adam<B>> step{
      adam, {.max_norm = 1, .rng = {.seed = 3}}, train::ConstantRate{}, &ema};
  train::RecordedStep<train::TrainStep<train::Adam<B>>> recorded{step};
  train::Feed<B> images{context, {4, 16, 16, 1}};

  void put(std::uint64_t number) {
    auto const batch = diffusion::normal<B>(context, {4, 16, 16, 1}, {.seed = 1, .step = number});
    images.put(std::span<float const>(batch.values()));
  }
  auto loss() {
    return [this](Tape<B>& tape, train::MicroBatch const& at) {
      return net.loss(tape, images.tensor(), at.rng);
    };
  }
};

}  // namespace diffsiam::test
