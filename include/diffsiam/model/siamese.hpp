// The siamese half: two views of each image through the same encoder, and a loss that compares them. It reads
// all of z, without masking.
#pragma once

#include <string_view>
#include <utility>

#include <diffsiam/encoder/siamese_heads.hpp>
#include <diffsiam/loss/nt_xent.hpp>
#include <diffsiam/loss/simsiam.hpp>
#include <diffsiam/loss/vicreg.hpp>
#include <diffsiam/ops/samples.hpp>

namespace diffsiam::model {

namespace detail {

/// z (2n, d) -> view 1 and view 2, (n, d) each. Throws ShapeError unless n >= 2.
template <FlowingValue Z>
[[nodiscard]] std::pair<Z, Z> views(std::string_view name, Z const& z) {
  require_rank(name, 2, z.shape(), "(2 n, d)");
  Index const rows = z.shape().samples();
  if (rows % 2 != 0 || rows < 4)
    fail<ShapeError>(name, "(2 n, d) with n >= 2: view 1, then view 2", z.shape());
  return {ops::samples(z, 0, rows / 2), ops::samples(z, rows / 2, rows)};
}

}  // namespace detail

/// SimSiam on z: the heads, and the loss of their outputs. Batch statistics are those of one view at a time.
template <class B>
class SimSiamHalf {
 public:
  using Backend = B;
  using Config = typename encoder::SimSiamHeads<B>::Config;
  /// Its weights are drawn from config.seed.
  SimSiamHalf(typename B::Context& context, Config const& config) : heads_(context, config) {}

  /// z (2n, dims): n latents of view 1, then those of view 2 -> rank 0.
  template <FlowingValue Z>
  [[nodiscard]] auto operator()(Z const& z) const {
    auto const [view_1, view_2] = detail::views("SimSiamHalf", z);
    auto const projected_1 = heads_.project(view_1), projected_2 = heads_.project(view_2);
    return loss::SimSiam{}(heads_.predict(projected_1), heads_.predict(projected_2), projected_1,
                           projected_2);
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"heads", ""}, heads_);
  }

 private:
  encoder::SimSiamHeads<B> heads_;
};

/// NT-Xent on z: SimCLR's projector, and the loss on its output.
template <class B>
class NtXentHalf {
 public:
  using Backend = B;
  /// Sizes of the projector, and the temperature.
  struct Config {
    typename encoder::SimClrHead<B>::Config head{};  ///< head.dims is the width of z
    double temperature = 0.5;                        ///< positive and finite
  };
  /// Throws ConfigError for a temperature that is not positive and finite.
  NtXentHalf(typename B::Context& context, Config const& config)
      : head_(context, config.head), loss_(config.temperature) {}

  /// z (2n, dims): n latents of view 1, then those of view 2 -> rank 0.
  template <FlowingValue Z>
  [[nodiscard]] auto operator()(Z const& z) const {
    return loss_(head_.project(z));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"head", ""}, head_);
  }

 private:
  encoder::SimClrHead<B> head_;
  loss::NtXent loss_;
};

/// VICReg on z: the expander, and the loss on its output. Batch statistics are those of one view at a time.
template <class B>
class VicRegHalf {
 public:
  using Backend = B;
  /// Sizes of the expander, and the weights of the loss.
  struct Config {
    typename encoder::VicRegHead<B>::Config head{};  ///< head.dims is the width of z
    loss::VicReg::Config loss{};                     ///< the published weights
  };
  /// Throws ConfigError for a weight that is negative or not finite.
  VicRegHalf(typename B::Context& context, Config const& config)
      : head_(context, config.head), loss_(config.loss) {}

  /// z (2n, dims): n latents of view 1, then those of view 2 -> rank 0.
  template <FlowingValue Z>
  [[nodiscard]] auto operator()(Z const& z) const {
    auto const [view_1, view_2] = detail::views("VicRegHalf", z);
    return loss_(head_.project(view_1), head_.project(view_2));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"head", ""}, head_);
  }

 private:
  encoder::VicRegHead<B> head_;
  loss::VicReg loss_;
};

}  // namespace diffsiam::model
