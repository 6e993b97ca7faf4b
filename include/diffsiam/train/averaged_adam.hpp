// AveragedAdam: the usual way to train a diffusion model, in one object. It holds Adam, a learning rate that
// falls like a cosine, and an exponential moving average of the weights.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include <diffsiam/concepts/backend.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/train/ema.hpp>
#include <diffsiam/train/learning_rate.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::train {

/// Takes one step, or is the step of a whole stage of training:
///
///     AveragedAdam<B> training{nn::parameters(denoiser), {.learning_rate = 1e-3, .steps = 500}};
///     training.step(loss_fn);
///     Stage{{...}}.run(training.step, loader, loss_fn, denoiser);
template <class B>
struct AveragedAdam {
  using Backend = B;
  struct Config {
    double learning_rate = 1e-4;  ///< at the first step
    std::uint64_t steps = 0;      ///< number of steps in which the rate falls
    double floor = 0.1;           ///< the last rate, as a fraction of the first
    Rng rng{};                    ///< seed and stream of the random numbers
  };

  Adam<B> adam;  ///< updates the weights
  Ema<B> ema;    ///< their averages
  TrainStep<Adam<B>, Cosine> step;

  /// Losses are scaled if B stores gradients in float16, because small gradients would underflow otherwise.
  /// Throws ConfigError for settings out of range.
  AveragedAdam(nn::ParameterList<B> const& list, Config const& config)
      : adam(list, {.learning_rate = config.learning_rate}),
        ema(list),
        step(adam, {.rng = config.rng, .loss_scaling = loss_scaling()},
             Cosine{{.steps = config.steps, .floor = config.floor}}, &ema) {}
  /// The step keeps pointers to the other members.
  AveragedAdam(AveragedAdam const&) = delete;
  AveragedAdam& operator=(AveragedAdam const&) = delete;

 private:
  [[nodiscard]] static std::optional<LossScaler::Config> loss_scaling() {
    if constexpr (std::is_same_v<backend::StorageOf<B>, Half>) return LossScaler::Config{};
    return std::nullopt;
  }
};

}  // namespace diffsiam::train
