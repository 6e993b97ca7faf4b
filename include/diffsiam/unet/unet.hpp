// UNet: the denoiser eps_theta(x_t, t) (Ho et al., 2020; Dhariwal and Nichol, 2021).
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <diffsiam/config.hpp>
#include <diffsiam/nn/time_embedding.hpp>
#include <diffsiam/unet/up_path.hpp>

namespace diffsiam::unet {

/// Copies share their blocks and weights. After a move the source may only be assigned or destroyed.
template <class B, class BlockTypes = Blocks>
class UNet {
 public:
  using Backend = B;
  /// See diffusion::leaves_weights_alone; nothing is known about blocks of your own.
  static constexpr bool leaves_weights_alone = std::is_same_v<BlockTypes, Blocks>;

  /// Throws ConfigError for sizes that cannot be built.
  UNet(typename B::Context& context, Config config)
      : parts_(std::make_shared<Parts const>(context, validated(std::move(config)))) {}

  /// x_t (n, h, w, in_channels) and t (n), raw integer time-steps -> (n, h, w, in_channels).
  template <FlowingValue X, FlowingValue T>
  [[nodiscard]] auto operator()(X const& x_t, T const& t) const {
    config().require_input(x_t.shape(), t.shape());
    auto const emb = time_embedding()(raised_to(t, x_t));
    return up()(down()(x_t, emb), emb);
  }

  /// What it was built with.
  [[nodiscard]] Config const& config() const& { return parts_->config; }
  [[nodiscard]] Config config() const&& { return parts_->config; }
  /// Of t; the decoder of a shift shares it.
  [[nodiscard]] nn::TimeEmbedding<B> const& time_embedding() const& { return parts_->time_embedding; }
  void time_embedding() const&& = delete;
  /// From the image to the skips.
  [[nodiscard]] DownPath<B, BlockTypes> const& down() const& { return parts_->down; }
  void down() const&& = delete;
  /// From the skips to the prediction.
  [[nodiscard]] UpPath<B, nn::TimeModulation<B>, BlockTypes> const& up() const& { return parts_->up; }
  void up() const&& = delete;

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"time_embedding", "time_embed"}, time_embedding());
    f(nn::ChildName{"down", "input_blocks"}, down());
    f(nn::ChildName{"up", ""}, up());
  }

 private:
  static Config validated(Config config) {
    config.validate();
    return config;
  }
  struct Parts {
    Config config;
    nn::TimeEmbedding<B> time_embedding;
    DownPath<B, BlockTypes> down;
    UpPath<B, nn::TimeModulation<B>, BlockTypes> up;

    Parts(typename B::Context& context, Config&& sizes)
        : Parts(nn::Init<B>{context, sizes.seed}, std::move(sizes)) {}
    DIFFSIAM_STEERS Parts(nn::Init<B>&& init, Config&& sizes)
        : config(std::move(sizes)),
          time_embedding(init, {.dims = config.base_channels, .width = config.embedding()}),
          down(init, config),
          up(init, config, down.skip_channels()) {}
  };

  std::shared_ptr<Parts const> parts_;
};

}  // namespace diffsiam::unet
