// GroupNorm followed by an activation, with an optional modulation between them. LayerNorm does the same over
// the last extent.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/nn/init.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/ops/group_norm.hpp>

namespace diffsiam::nn {

/// Throws ConfigError if a GroupNorm of `place` ("stage 2") would have groups of a single value. Such a value
/// is always normalised to 0, so every picture would look the same after it.
DIFFSIAM_OUT_OF_LINE inline void require_values_in_groups(std::string_view model, Text const& place,
                                                          Index channels, Index groups, Index height,
                                                          Index width) {
  if (height * width * channels != groups) return;
  fail<ConfigError>(model, {"two values or more in each group of channels at ", place},
                    {channels, " channels in ", groups, " groups at ", height, " x ", width},
                    "ask for fewer groups, more channels, larger pictures or fewer stages");
}

/// The part that does not depend on the activation.
template <class B>
class GroupNormWeights {
 public:
  using Backend = B;
  struct Config {
    Index channels = 0;     ///< a multiple of `groups`
    Index groups = 32;      ///< at least 1
    double epsilon = 1e-5;  ///< added to the variance
  };

  /// Weights 1, bias 0. Throws ConfigError where the groups do not divide the channels.
  DIFFSIAM_STEERS GroupNormWeights(Init<B>& init, Config const& config)
      : config_(config),
        weight_(init.constant({config.channels}, 1)),
        bias_(init.constant({config.channels}, 0)) {
    if (config.groups < 1 || config.channels < 1 || config.channels % config.groups != 0) {
      fail<ConfigError>("GroupNorm", {"channels that divide into ", config.groups, " groups"},
                        {config.channels, " channels"}, "set groups to a divisor of every channel count");
    }
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"weight"}, weight_);
    f(ChildName{"bias"}, bias_);
  }

 protected:
  Config config_;
  Parameter<B> weight_, bias_;
};

/// x (n, ..., c) -> (n, ..., c). The number of channels must be a multiple of `groups`.
template <class B, class Act = functional::Identity>
class GroupNorm : public GroupNormWeights<B> {
 public:
  using GroupNormWeights<B>::GroupNormWeights;

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return ops::group_norm<Act>(x, this->weight_, this->bias_, this->config_.groups, this->config_.epsilon);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("groups", this->config_.groups);
    f("epsilon", this->config_.epsilon);
    f("activation", Act::name);
  }
  /// With a modulation (n, 2c), scale first and then shift, applied before the activation.
  template <FlowingValue X, FlowingValue M>
  [[nodiscard]] auto operator()(X const& x, M const& modulation) const {
    return ops::modulated_group_norm<Act>(x, this->weight_, this->bias_, modulation, this->config_.groups,
                                          this->config_.epsilon);
  }
};

/// x (..., c) -> (..., c), each row by itself.
template <class B, class Act = functional::Identity>
class LayerNorm {
 public:
  using Backend = B;
  struct Config {
    Index channels = 0;     ///< at least 2
    double epsilon = 1e-5;  ///< added to the variance
  };

  /// Weights 1, bias 0. Throws ConfigError for less than two channels.
  LayerNorm(Init<B>& init, Config const& config)
      : config_(config),
        weight_(init.constant({config.channels}, 1)),
        bias_(init.constant({config.channels}, 0)) {
    if (config.channels < 2)
      fail<ConfigError>("LayerNorm", "two channels or more", config.channels,
                        "a single value less its mean is 0, whatever it was");
  }

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return ops::layer_norm<Act>(x, weight_, bias_, config_.epsilon);
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"weight"}, weight_);
    f(ChildName{"bias"}, bias_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("epsilon", config_.epsilon);
    f("activation", Act::name);
  }

 private:
  Config config_;
  Parameter<B> weight_, bias_;
};

}  // namespace diffsiam::nn
