// BetaVae: a variational autoencoder whose KL term has the weight beta (Higgins et al., ICLR 2017; beta = 1:
// Kingma and Welling, 2014, arXiv 1312.6114).
//   (mu, v) = encoder(x), z = mu + e^(v/2) eps, eps ~ N(0, 1)
//   loss = mean over images of [ |x - decoder(z)|^2 / 2 + beta KL(N(mu, e^v) || N(0, 1)) ]
// Squares are summed over h, w, c and KL over the d dims of z. Pixels are Gaussian with variance 1; the
// constant of the Gaussian is left out. So a weight b with pixel variance s^2 is beta = b s^2, and a weight b
// between means over elements (the normalised beta of the paper) is beta = b h w c/d.
#pragma once

#include <cmath>
#include <utility>

#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/encoder/conv_decoder.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/loss/gaussian_kl.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/ops/concat.hpp>

namespace diffsiam::model {

/// q(z|x), both (n, d).
/// `mean` is mu, and `log_variance` is v.
template <FlowingValue X>
struct Posterior {
  X mean, log_variance;
};
/// total = reconstruction + beta kl, each of rank 0 and a mean over images.
template <FlowingValue X>
struct BetaVaeLoss {
  X total, reconstruction, kl;
};

/// Copies share their weights. Images are (n, h, w, c), latents z (n, d). The encoder returns 2 d numbers,
/// the means first.
template <class B, class Encoder = encoder::ModularEncoder<B>, class Decoder = encoder::ConvDecoder<B>>
class BetaVae {
 public:
  using Backend = B;
  struct Config {
    double beta = 4;  ///< the weight of KL, 0 or more; 1 is a plain VAE
  };

  /// Throws ConfigError if encoder and decoder do not fit each other, or if beta is negative or not finite.
  BetaVae(Encoder encoder, Decoder decoder, Config config = {})
      : config_(config), encoder_(std::move(encoder)), decoder_(std::move(decoder)) {
    if (encoder_.latent_dims() != 2 * latent_dims()) {
      fail<ConfigError>("BetaVae",
                        {"an encoder of ", 2 * latent_dims(), " dims: a mean and a log variance for each of ",
                         latent_dims(), " that the decoder reads"},
                        {encoder_.latent_dims(), " dims"});
    }
    if (!(config.beta >= 0) || !std::isfinite(config.beta))
      fail<ConfigError>("BetaVae", "beta of 0 or more", config.beta);
  }

  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  [[nodiscard]] Encoder const& encoder() const& { return encoder_; }
  [[nodiscard]] Encoder encoder() const&& { return encoder_; }
  [[nodiscard]] Decoder const& decoder() const& { return decoder_; }
  [[nodiscard]] Decoder decoder() const&& { return decoder_; }
  /// d.
  [[nodiscard]] Index latent_dims() const { return decoder_.latent_dims(); }

  /// q(z|x) of images (n, h, w, c).
  template <FlowingValue X>
  [[nodiscard]] Posterior<X> posterior(X const& x) const {
    auto const both = encoder_(x);  // (n, 2 d)
    return {ops::slice(both, 0, latent_dims()), ops::slice(both, latent_dims(), 2 * latent_dims())};
  }
  /// mu of images: the features that probes use.
  template <FlowingValue X>
  [[nodiscard]] auto encode(X const& x) const {
    return ops::slice(encoder_(x), 0, latent_dims());
  }
  /// Images of z.
  template <FlowingValue Z>
  [[nodiscard]] auto decode(Z const& z) const {
    return decoder_(z);
  }
  /// Reconstruction from mu, without noise.
  template <FlowingValue X>
  [[nodiscard]] auto reconstruct(X const& x) const {
    return decode(encode(x));
  }
  /// The loss of images on a tape, so that the weights can be trained. eps is drawn from `rng`, which must
  /// have a new step for every training step.
  template <FlowingValue X>
  [[nodiscard]] BetaVaeLoss<X> loss(X const& x, Rng const& rng) const {
    using V = typename X::Backend;
    auto const [mean, log_variance] = posterior(x);
    auto const eps = diffusion::normal<V>(x.context(), mean.shape(), rng);                       // (n, d)
    auto const z = ops::add(mean, ops::multiply(ops::exp(ops::scale(log_variance, 0.5)), eps));  // (n, d)
    auto const mean_square = loss::MeanSquaredError{}(decode(z), x);  // over n, h, w, c
    auto const elements = static_cast<double>(x.shape().size() / x.shape().samples());
    auto const reconstruction = ops::scale(mean_square, 0.5 * elements);
    auto const kl = loss::GaussianKl{}(mean, log_variance);
    return {ops::linear_combination(1, reconstruction, config_.beta, kl), reconstruction, kl};
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"encoder"}, encoder_);
    f(nn::ChildName{"decoder"}, decoder_);
  }

 private:
  Config config_;
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace diffsiam::model
