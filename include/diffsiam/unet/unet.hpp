// UNet: the denoiser eps_theta(x_t, t) (Ho et al., 2020; Dhariwal and Nichol, 2021).
#pragma once

#include <diffsiam/config.hpp>
#include <diffsiam/nn/time_embedding.hpp>
#include <diffsiam/unet/up_path.hpp>

namespace diffsiam::unet {

/// Copies share their weights.
template <class B, class BlockTypes = Blocks>
class UNet {
 public:
  using Backend = B;

  /// Throws ConfigError for sizes that cannot be built.
  UNet(typename B::Context& context, Config config)
      : UNet(nn::Init<B>{context, config.seed}, validated(std::move(config))) {}

  /// x_t (n, h, w, in_channels) and t (n), raw integer time-steps -> (n, h, w, in_channels).
  template <FlowingValue X, FlowingValue T>
  [[nodiscard]] auto operator()(X const& x_t, T const& t) const {
    config_.require_input(x_t.shape(), t.shape());
    auto const emb = time_embedding_(raised_to(t, x_t));
    return up_(down_(x_t, emb), emb);
  }

  [[nodiscard]] Config const& config() const { return config_; }
  [[nodiscard]] nn::TimeEmbedding<B> const& time_embedding() const { return time_embedding_; }
  [[nodiscard]] DownPath<B, BlockTypes> const& down() const { return down_; }
  [[nodiscard]] UpPath<B, nn::TimeModulation<B>, BlockTypes> const& up() const { return up_; }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"time_embedding", "time_embed"}, time_embedding_);
    f(nn::ChildName{"down", "input_blocks"}, down_);
    f(nn::ChildName{"up", ""}, up_);
  }

 private:
  static Config validated(Config config) {
    config.validate();
    return config;
  }
  DIFFSIAM_STEERS UNet(nn::Init<B>&& init, Config&& config)
      : config_(std::move(config)),
        time_embedding_(init, {.dims = config_.base_channels, .width = config_.embedding()}),
        down_(init, config_),
        up_(init, config_, down_.skip_channels()) {}

  Config config_;
  nn::TimeEmbedding<B> time_embedding_;
  DownPath<B, BlockTypes> down_;
  UpPath<B, nn::TimeModulation<B>, BlockTypes> up_;
};

}  // namespace diffsiam::unet
