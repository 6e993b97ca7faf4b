// A small run with all that a training step changes, and its state as bits: what faults must leave alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tests/train/small_net.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/checkpoint.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::test {

struct TrainingRun {
  using B = backend::Cpu<float>;

  B::Context context{{.threads = 2}};
  SmallNet<B> net{context, 1, 64};  // its weights are the largest of what is allocated
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 0.01}};
  train::Ema<B> ema{nn::parameters(net)};
  train::TrainStep<train::Adam<B>> step{adam, {.accumulate = 2, .max_norm = 1}, {}, &ema};

  void operator()() {
    step([this](Tape<B>& tape, train::MicroBatch const& at) {
      SmallBatch<B> const batch{context, 2 * at.step + static_cast<std::uint64_t>(at.index)};
      return squared_error(net(tape.input(batch.x)), batch.target);
    });
  }
  [[nodiscard]] std::vector<float> state() const {
    std::vector<float> result = all_values<B>(net);
    auto const append = [&](Tensor<B> const& tensor) {
      auto const values = tensor.values();
      result.insert(result.end(), values.begin(), values.end());
    };
    adam.for_each_state([&](std::string const&, auto const& tensor) { append(tensor); });
    ema.for_each_state([&](std::string const&, auto const& tensor, auto const&) { append(tensor); });
    for (auto const& [name, parameter] : adam.parameters().parameters) append(parameter.gradient());
    for (std::uint64_t const count : {step.steps(), adam.steps(), ema.updates()})
      result.push_back(static_cast<float>(count));
    result.push_back(static_cast<float>(step.pending().micro_batches));
    return result;
  }
  void save(std::filesystem::path const& path) const {
    train::Checkpoint{path}.save(step, {.epoch = 0, .batch = step.steps(), .order_seed = 1}, net);
  }
  void load(std::filesystem::path const& path) { (void)train::Checkpoint{path}.load(step, net); }
};

}  // namespace diffsiam::test
