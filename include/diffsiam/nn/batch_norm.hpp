// BatchNorm: batch statistics in training, running statistics in evaluation mode. A forward pass only
// proposes new running statistics; the training step commits them.
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/nn/init.hpp>
#include <diffsiam/nn/mode.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/ops/batch_norm.hpp>

namespace diffsiam::nn {

/// x (n, ..., c) -> (n, ..., c).
template <class B>
class BatchNorm {
 public:
  using Backend = B;
  struct Config {
    Index channels = 0;     ///< the last extent of x
    double momentum = 0.1;  ///< the share of the batch in the next running statistics
    double epsilon = 1e-5;  ///< added to the variance
  };

  /// Weights 1, bias 0, running mean 0, running variance 1.
  DIFFSIAM_STEERS BatchNorm(Init<B>& init, Config const& config)
      : config_(config),
        weight_(init.constant({config.channels}, 1)),
        bias_(init.constant({config.channels}, 0)),
        running_mean_(Tensor<B>::zeros(init.context(), {config.channels})),
        running_variance_(Tensor<B>::filled(init.context(), {config.channels}, 1)) {}

  /// In the mode of x: that of its tape, or evaluation for a plain value.
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return (*this)(x, mode_of(x));
  }
  /// In a given mode. Training proposes the next running statistics.
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x, Mode mode) const {
    using V = typename X::Backend;
    auto& context = x.context();
    bool const training = mode == Mode::training;
    return evaluate(ops::BatchNorm<V>{here<V>(context, running_mean_, training),
                                      here<V>(context, running_variance_, training), training,
                                      config_.momentum, config_.epsilon, joint_here<V>(x)},
                    x, weight_, bias_);
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"weight"}, weight_);
    f(ChildName{"bias"}, bias_);
    f(ChildName{"running_mean"}, running_mean_);
    f(ChildName{"running_variance", "running_var"}, running_variance_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("epsilon", config_.epsilon);
  }

 private:
  /// A buffer on the backend of the flowing value: the buffer itself, or its shape in a dry run.
  template <class V>
  static Tensor<V> here(typename V::Context& context, Buffer<B> const& buffer, bool proposal) {
    if constexpr (std::is_same_v<V, B>) {
      return proposal ? buffer.proposal() : buffer.value();
    } else {
      return Tensor<V>::borrowed(context, buffer.shape(), nullptr);
    }
  }

  /// A dry run has no other pieces.
  template <class V, class X>
  static JointBatch<V>* joint_here(X const& x) {
    if constexpr (std::is_same_v<V, B>)
      return joint_of(x);
    else
      return nullptr;
  }

  Config config_;
  Parameter<B> weight_, bias_;
  Buffer<B> running_mean_, running_variance_;
};

}  // namespace diffsiam::nn
