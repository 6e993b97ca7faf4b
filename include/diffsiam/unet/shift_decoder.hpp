// ShiftDecoder: G(x_t, t, z), which estimates the gradient of log p(z | x_t) (PDAE, arXiv 2212.12990). It
// borrows the denoiser's time embedding and downsampling path. Its middle block, upsampling path and output
// are its own, and they also read z.
#pragma once

#include <utility>

#include <diffsiam/config.hpp>
#include <diffsiam/unet/unet.hpp>

namespace diffsiam::unet {

/// The result of the decoder: the denoiser's prediction and the gradient, both (n, h, w, c).
template <class Eps, class Gradient>
struct Shifted {
  Eps eps;            ///< of the denoiser, without z
  Gradient gradient;  ///< G(x_t, t, z), which shift_coef() or ddim_shift_coef() scale
};

/// Freezes the denoiser that it borrows, and shares its weights. The output of G starts at zero.
template <class B, class BlockTypes = Blocks>
class ShiftDecoder {
 public:
  using Backend = B;
  static constexpr bool leaves_weights_alone = UNet<B, BlockTypes>::leaves_weights_alone;
  /// The other sizes are those of the denoiser.
  struct Config {
    Index latent_dims = 512;  ///< the width of z, at least 1
    std::uint64_t seed = 1;   ///< of the initial weights

    template <class Self, class F>
    static void for_each_field(Self& self, F&& f) {
      f("latent_dims", self.latent_dims);
      f("seed", self.seed);
    }
  };

  /// Throws ConfigError unless latent_dims is positive.
  ShiftDecoder(typename B::Context& context, UNet<B, BlockTypes> const& denoiser, Config const& config)
      : ShiftDecoder(nn::Init<B>{context, config.seed}, denoiser, config) {}

  /// x_t (n, h, w, c) and t (n) must be plain, so that the denoiser records nothing; z is (n, latent_dims).
  template <class V, FlowingValue Z>
  [[nodiscard]] auto operator()(Tensor<V> const& x_t, Tensor<V> const& t, Z const& z) const {
    require_shape("ShiftDecoder", {x_t.shape().samples(), config_.latent_dims}, z.shape(),
                  "one latent a sample");
    auto const [emb, skips] = way_down(x_t, t);
    auto eps = denoiser_.up()(skips, emb);
    auto gradient = shift_(skips, raised_to(emb, z), latent_embedding_(z));
    return Shifted<decltype(eps), decltype(gradient)>{std::move(eps), std::move(gradient)};
  }
  /// The denoiser alone: eps_theta(x_t, t), without computing G.
  template <class V>
  [[nodiscard]] auto without_latent(Tensor<V> const& x_t, Tensor<V> const& t) const {
    return denoiser_(x_t, t);
  }

  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  /// The frozen denoiser, whose weights it shares.
  [[nodiscard]] UNet<B, BlockTypes> const& denoiser() const& { return denoiser_; }
  [[nodiscard]] UNet<B, BlockTypes> denoiser() const&& { return denoiser_; }
  /// The width of the z that it reads.
  [[nodiscard]] Index latent_dims() const { return config_.latent_dims; }
  /// The layer that reads z.
  [[nodiscard]] nn::Linear<B> const& latent_embedding() const& { return latent_embedding_; }
  [[nodiscard]] nn::Linear<B> latent_embedding() const&& { return latent_embedding_; }

  /// In published names this is one flat list, with the prefix shift_ for the parts of the shift.
  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"denoiser", ""}, denoiser_);
    f(nn::ChildName{"latent_embedding", "label_emb"}, latent_embedding_);
    f(nn::ChildName{"shift", ""}, shift_);
  }

 private:
  DIFFSIAM_STEERS ShiftDecoder(nn::Init<B>&& init, UNet<B, BlockTypes> const& denoiser, Config const& config)
      : config_(config),
        denoiser_(denoiser),
        latent_embedding_(init, {.in = config.latent_dims, .out = denoiser.config().embedding()}),
        shift_(init, denoiser.config(), denoiser.down().skip_channels(), "shift_") {
    nn::freeze(denoiser_);
  }

  template <class V>
  [[nodiscard]] auto way_down(Tensor<V> const& x_t, Tensor<V> const& t) const {
    denoiser_.config().require_input(x_t.shape(), t.shape());
    auto emb = denoiser_.time_embedding()(t);
    auto skips = denoiser_.down()(x_t, emb);
    return std::pair{std::move(emb), std::move(skips)};
  }

  Config config_;
  UNet<B, BlockTypes> denoiser_;
  nn::Linear<B> latent_embedding_;
  UpPath<B, nn::ShiftModulation<B>, BlockTypes> shift_;
};

}  // namespace diffsiam::unet
