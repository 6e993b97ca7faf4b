// Conditionings: they turn embeddings into the modulation (n, 2c) of a residual block.
#pragma once

#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/modulation.hpp>

namespace diffsiam::nn {

/// By time alone: (s, b) are the two halves of Linear(SiLU(emb)).
template <class B>
class TimeModulation {
 public:
  using Backend = B;
  /// `embedding` is the width of emb, and `channels` are those of the block.
  TimeModulation(Init<B>& init, Index embedding, Index channels)
      : time_(init, {.in = embedding, .out = 2 * channels}) {}

  /// emb (n, embedding) -> (n, 2 channels).
  template <FlowingValue E>
  [[nodiscard]] auto operator()(E const& emb) const {
    return time_(ops::silu(emb));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"time", "emb_layers.1"}, time_);
  }

 private:
  Linear<B> time_;
};

/// By time, then by z: (1 + s_z)((1 + s) u + b) + b_z.
template <class B>
class ShiftModulation {
 public:
  using Backend = B;
  /// `embedding` is the width of both embeddings, and `channels` are those of the block.
  ShiftModulation(Init<B>& init, Index embedding, Index channels)
      : time_(init, {.in = embedding, .out = 2 * channels}),
        latent_(init, {.in = embedding, .out = 2 * channels}) {}

  /// emb and emb_z (n, embedding) -> (n, 2 channels).
  template <FlowingValue E, FlowingValue Z>
  [[nodiscard]] auto operator()(E const& emb, Z const& emb_z) const {
    return ops::compose_modulation(time_(ops::silu(emb)), latent_(ops::silu(emb_z)));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(ChildName{"time", "emb_layers.1"}, time_);
    f(ChildName{"latent", "emb_z_layers.1"}, latent_);
  }

 private:
  Linear<B> time_, latent_;
};

}  // namespace diffsiam::nn
