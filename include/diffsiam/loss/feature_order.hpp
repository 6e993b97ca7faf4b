// FeatureOrder: an objective whose optimum is fine to coarse. Its error is measured in the whitened features
// phi of pictures, such as those of an encoder that is trained already, where a fine factor counts as much as
// a coarse one. For each window i of the time-steps a linear decoder restores phi(x_0) from what the
// denoiser's x_0^ still tells, phi(x_0^_i), and from the subsets of z that are revealed there:
//   mean over n and windows of |phi(x_0) - A_i phi(x_0^_i) - B_i [z_i + n; z_<i + n] - c_i|^2 / dims of phi
//     + price mean over n of |z|^2/2
// with unit noise n. |z|^2/2 bounds what the noisy z tells, in nats, so nothing is told that is not worth its
// price. The gradient to preceding subsets is stopped, or (joint) reaches all that are revealed; then the
// price of subset i is charged in proportion to the share of windows in which it is revealed, (k - i)/k,
// times 2, so that the mean price stays about the same: a subset that is revealed early must earn more.
// The reason is in docs/method.md, "Which subset tells which factor".
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/encoder/reveal.hpp>
#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/ops/weighted_error.hpp>

namespace diffsiam::loss {

/// Holds the linear decoders, which are trained with the encoder. They start at zero.
template <class B>
class FeatureOrder {
 public:
  using Backend = B;
  struct Config {
    encoder::TimestepPartition partition;  ///< of z
    Index features = 64;                   ///< dims of phi
    double price = 1e-4;                   ///< of a nat, >= 0; the noise is there at a price of 0, too
    encoder::GradientMode gradient_mode = encoder::GradientMode::stop_preceding;  ///< joint or stop_preceding
  };

  /// Throws ConfigError for a price that is negative or not finite, and for the mode dual.
  FeatureOrder(typename B::Context& context, Config const& config) : config_(config) {
    if (!(config.price >= 0 && std::isfinite(config.price)))
      fail<ConfigError>("FeatureOrder", "a finite price >= 0", config.price);
    if (config.gradient_mode == encoder::GradientMode::dual)
      fail<ConfigError>("FeatureOrder", "joint or stop_preceding", "dual");
    nn::Init<B> init{context, 0};
    for (int i = 0; i < config.partition.subsets(); ++i)
      decoders_.push_back(
          {init, {.in = config.partition.dims() + config.features, .out = config.features, .zero = true}});
    std::vector<double> shares;
    int const k = config.partition.subsets();
    for (int i = 0; i < k; ++i)
      for (int j = 0; j < config.partition.subset_dims(i).size(); ++j)
        shares.push_back(config.gradient_mode == encoder::GradientMode::joint ? 2.0 * (k - i) / k : 1.0);
    shares_ = Tensor<B>::from(context, {1, config.partition.dims()}, std::span<double const>{shares});
  }

  /// z (n, dims); phi (n, features), whitened; known[i] = phi(x_0^) at window i, (n, features), zeros where
  /// nothing is known -> rank 0. `rng` must have a new step for each call. Throws ShapeError for shapes that
  /// do not fit, and unless there are as many known as subsets.
  template <FlowingValue Z>
  [[nodiscard]] auto operator()(Z const& z, Tensor<B> const& phi, std::span<Tensor<B> const> known,
                                Rng const& rng) const {
    auto const& partition = config_.partition;
    Index const n = z.shape().samples();
    require_shape("FeatureOrder", {n, partition.dims()}, z.shape(), "z is as wide as its partition");
    require_shape("FeatureOrder", {n, config_.features}, phi.shape(), "features of each sample");
    if (known.size() != decoders_.size())
      fail<ShapeError>("FeatureOrder", {"features of ", decoders_.size(), " windows"}, known.size());
    auto& context = z.context();
    auto const noisy = ops::add(z, diffusion::normal<B>(context, z.shape(), rng));
    auto const alike = Tensor<B>::filled(context, {n}, 1);
    auto const error = [&](std::size_t i) {
      require_shape("FeatureOrder", phi.shape(), known[i].shape(), "features at each window");
      auto const t = Tensor<B>::filled(
          context, {n}, static_cast<typename B::Scalar>(partition.first_step(static_cast<int>(i))));
      auto const revealed = encoder::reveal(partition, noisy, t, config_.gradient_mode);
      return ops::weighted_error(decoders_[i](ops::concat(revealed, known[i])), phi, alike);
    };
    auto total = error(0);
    for (std::size_t i = 1; i < decoders_.size(); ++i) total = ops::add(total, error(i));
    auto const charged = ops::linear(ops::multiply(z, z), shares_);  // (n, 1)
    return ops::linear_combination(1 / static_cast<double>(decoders_.size()), total,
                                   config_.price / (2 * static_cast<double>(n)), ops::sum(charged));
  }

  template <class F>
  void for_each_child(F&& f) const {
    for (std::size_t i = 0; i < decoders_.size(); ++i) f(nn::ChildName{text({"decoder_", i})}, decoders_[i]);
  }

 private:
  Config config_;
  std::vector<nn::Linear<B>> decoders_;
  Tensor<B> shares_;
};

}  // namespace diffsiam::loss
