// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), as in torch.optim: Adam adds the weight
// decay to the gradient, AdamW multiplies the weight by 1 - rate * decay.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <diffsiam/config.hpp>
#include <diffsiam/functional/updates.hpp>
#include <diffsiam/train/gradient_descent.hpp>

namespace diffsiam::train {

/// Settings of Adam. The defaults are those with which DiTi and PDAE were trained, at a batch of 128.
struct AdamConfig {
  double learning_rate = 1e-4;  ///< 0 or more; a schedule may scale it
  double beta1 = 0.9;           ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;         ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;        ///< added to the root of the second moment, 0 or more
  double weight_decay = 0;      ///< times the weight is added to the gradient; 0 or more
};

/// Settings of AdamW: those of Adam, with the default weight decay of torch.optim.
/// All are as in Adam: `learning_rate`, `beta1`, `beta2` and `epsilon`.
struct AdamWConfig {
  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  ///< 0 or more; a step multiplies the weight by 1 - rate * weight_decay
};

/// The rule of GradientDescent for both.
template <class Settings, bool Decoupled>
struct AdamRule {
  using Config = Settings;
  static constexpr std::string_view name = Decoupled ? "AdamW" : "Adam";
  static constexpr std::array<std::string_view, 2> state_names{"first_moment", "second_moment"};

  static constexpr std::size_t states(Config const&) { return 2; }
  DIFFSIAM_STEERS static void validate(Config const& config) {
    detail::require_not_negative(name, "learning_rate", config.learning_rate);
    detail::require_setting(name, "beta1", config.beta1, 0, 1, "in [0, 1)");
    detail::require_setting(name, "beta2", config.beta2, 0, 1, "in [0, 1)");
    detail::require_not_negative(name, "epsilon", config.epsilon);
    detail::require_not_negative(name, "weight_decay", config.weight_decay);
  }
  template <class T, class F>
  static void visit(Config const& config, double rate, std::uint64_t n, F const& f) {
    auto const count = static_cast<double>(n);
    f(functional::AdamUpdate<T>{
        .keep = static_cast<T>(Decoupled ? 1 - rate * config.weight_decay : 1),
        .l2 = static_cast<T>(Decoupled ? 0 : config.weight_decay),
        .beta_1 = static_cast<T>(config.beta1),
        .one_minus_beta_1 = static_cast<T>(1 - config.beta1),
        .beta_2 = static_cast<T>(config.beta2),
        .one_minus_beta_2 = static_cast<T>(1 - config.beta2),
        .step = static_cast<T>(rate / (1 - std::pow(config.beta1, count))),
        .unbias = static_cast<T>(1 / std::sqrt(1 - std::pow(config.beta2, count))),
        .epsilon = static_cast<T>(config.epsilon),
    });
  }
};

/// Adam<B> adam{parameters(encoder, decoder), {.learning_rate = 1e-4}};
template <class B>
using Adam = GradientDescent<B, AdamRule<AdamConfig, false>>;
/// AdamW<B> adam{parameters(encoder, decoder), {.learning_rate = 1e-4, .weight_decay = 0.01}};
template <class B>
using AdamW = GradientDescent<B, AdamRule<AdamWConfig, true>>;

}  // namespace diffsiam::train
