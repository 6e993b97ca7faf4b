// Sgd: stochastic gradient descent with momentum, as in torch.optim.SGD (without dampening).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <diffsiam/functional/updates.hpp>
#include <diffsiam/train/gradient_descent.hpp>

namespace diffsiam::train {

/// Settings of Sgd. nesterov needs a momentum above 0.
struct SgdConfig {
  double learning_rate = 1e-2;  ///< 0 or more; a schedule may scale it
  double momentum = 0.9;        ///< the factor of the last velocity, in [0, 1)
  bool nesterov = false;        ///< whether the step looks ahead along the velocity
  double weight_decay = 0;      ///< times the weight is added to the gradient; 0 or more
};

/// The rule of GradientDescent. Without momentum a weight has no state.
struct SgdRule {
  using Config = SgdConfig;
  static constexpr std::string_view name = "Sgd";
  static constexpr std::array<std::string_view, 1> state_names{"velocity"};

  static constexpr std::size_t states(Config const& config) { return config.momentum > 0 ? 1 : 0; }
  static void validate(Config const& config) {
    detail::require_not_negative(name, "learning_rate", config.learning_rate);
    detail::require_setting(name, "momentum", config.momentum, 0, 1, "in [0, 1)");
    detail::require_not_negative(name, "weight_decay", config.weight_decay);
    if (config.nesterov && config.momentum <= 0)
      fail<ConfigError>(name, "momentum above 0 with nesterov", config.momentum);
  }
  template <class T, class F>
  static void visit(Config const& config, double rate, std::uint64_t, F const& f) {
    auto const l2 = static_cast<T>(config.weight_decay);
    if (config.momentum <= 0) return f(functional::DescentUpdate<T>{static_cast<T>(rate), l2});
    auto const momentum = static_cast<T>(config.momentum);
    f(functional::MomentumUpdate<T>{
        .rate = static_cast<T>(rate),
        .l2 = l2,
        .momentum = momentum,
        .along_gradient = config.nesterov ? T(1) : T(0),
        .along_velocity = config.nesterov ? momentum : T(1),
    });
  }
};

/// Sgd<B> sgd{parameters(projector, predictor), {.learning_rate = 0.03, .weight_decay = 1e-6}};
template <class B>
using Sgd = GradientDescent<B, SgdRule>;

}  // namespace diffsiam::train
