// ConvBackbone: the published encoders without their last layer. Convolutions of stride 2 with GroupNorm and
// SiLU between them, attention after one of them, and all pixels of the last one flattened (DiTi, arXiv
// 2401.11430; PDAE, arXiv 2212.12990).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/nn/attention.hpp>
#include <diffsiam/nn/conv2d.hpp>
#include <diffsiam/ops/reshape.hpp>

namespace diffsiam::encoder {

/// x (n, height, width, in_channels) -> (n, features()).
template <class B>
class ConvBackbone {
 public:
  using Backend = B;
  static constexpr std::string_view kind = "conv";  ///< in files of models
  /// Sizes of the pictures and of the network.
  struct Config {
    Index in_channels = 3;                              ///< of the pictures
    Index height = 64, width = 64;                      ///< of the pictures; no others are read
    std::vector<Index> channels = {64, 128, 128, 128};  ///< of each convolution; each halves the sides
    Index attention_after = 1;                          ///< which convolution attention follows; -1: none
    Index heads = 4;                                    ///< of the attention
    Index groups = 32;  ///< of every GroupNorm; must divide every entry of channels

    template <class Self, class F>
    static void for_each_field(Self& self, F&& f) {
      f("in_channels", self.in_channels);
      f("height", self.height);
      f("width", self.width);
      f("channels", self.channels);
      f("attention_after", self.attention_after);
      f("heads", self.heads);
      f("groups", self.groups);
    }

    /// 64x64: 1,487,104 parameters with a linear head of 512.
    [[nodiscard]] static Config for_64px(Index in_channels = 3) { return {.in_channels = in_channels}; }
    /// 128x128: 3,914,240 parameters with a linear head of 512.
    [[nodiscard]] static Config for_128px(Index in_channels = 3) {
      return {.in_channels = in_channels,
              .height = 128,
              .width = 128,
              .channels = {64, 128, 256, 256, 256},
              .attention_after = 2};
    }
    /// 28x28 and other small images: three convolutions, no attention.
    [[nodiscard]] static Config for_small(Index in_channels = 1, Index side = 28) {
      return {.in_channels = in_channels,
              .height = side,
              .width = side,
              .channels = {32, 64, 128},
              .attention_after = -1};
    }
  };

  /// Throws ConfigError for sizes that cannot be built, or with which all pictures would give the same
  /// features.
  DIFFSIAM_STEERS ConvBackbone(nn::Init<B>& init, Config config) : config_(std::move(config)) {
    if (config_.channels.empty() || config_.height < 1 || config_.width < 1 ||
        config_.attention_after >= static_cast<Index>(config_.channels.size())) {
      fail<ConfigError>("ConvBackbone",
                        "at least one convolution, positive sides, and attention behind one that is there",
                        {config_.channels.size(), " convolutions, ", config_.height, " x ", config_.width,
                         ", attention after ", config_.attention_after});
    }
    Index in = config_.in_channels;
    for (std::size_t i = 0; i < config_.channels.size(); ++i) {
      Index const out = config_.channels[i];
      nn::require_values_in_groups("ConvBackbone", {"stage ", i}, out, config_.groups,
                                   halved(config_.height, i + 1), halved(config_.width, i + 1));
      ConvStage stage{nn::Conv2d<B>{init, {.in = in, .out = out, .stride = 2}}, std::nullopt,
                      Norm{init, {out, config_.groups}}};
      if (static_cast<Index>(i) == config_.attention_after) {
        stage.attention.emplace(init,
                                typename nn::SelfAttention<B>::Config{out, config_.heads, config_.groups});
      }
      stages_.push_back(std::move(stage));
      in = out;
    }
  }

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    require_shape("ConvBackbone", {x.shape().samples(), config_.height, config_.width, config_.in_channels},
                  x.shape(),
                  layout_hint(x.shape(), config_.in_channels, "the encoder is built for one image size"));
    auto h = stages_.front()(x);
    for (std::size_t i = 1; i < stages_.size(); ++i) h = stages_[i](h);
    return ops::flatten(h);
  }

  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  /// The width of its output: pixels times channels of the last convolution.
  [[nodiscard]] Index features() const {
    return halved(config_.height, config_.channels.size()) * halved(config_.width, config_.channels.size()) *
           config_.channels.back();
  }
  /// The layout in which a linear layer after this backbone is stored in published files: its columns in (c,
  /// h, w) order.
  [[nodiscard]] PublishedLayout head_layout() const {
    return {PublishedLayout::Kind::flattened, halved(config_.height, config_.channels.size()),
            halved(config_.width, config_.channels.size())};
  }

  /// In published names encoder.<i> counts every layer: convolution, attention, GroupNorm, SiLU.
  template <class F>
  DIFFSIAM_STEERS void for_each_child(F&& f) const {
    Index layer = 0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      f(nn::ChildName{{"stage_", i, ".conv"}, layer++}, stages_[i].conv);
      if (stages_[i].attention) f(nn::ChildName{{"stage_", i, ".attention"}, layer++}, *stages_[i].attention);
      f(nn::ChildName{{"stage_", i, ".norm"}, layer}, stages_[i].norm);
      layer += 2;
    }
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("height", config_.height);
    f("width", config_.width);
  }
  /// The published number of the layer after the backbone: after the last SiLU and the flattening.
  [[nodiscard]] Index published_head() const {
    return 3 * static_cast<Index>(stages_.size()) + (config_.attention_after >= 0 ? 1 : 0) + 1;
  }

 private:
  using Norm = nn::GroupNorm<B, functional::Silu>;
  struct ConvStage {
    nn::Conv2d<B> conv;
    std::optional<nn::SelfAttention<B>> attention;
    Norm norm;

    template <FlowingValue X>
    [[nodiscard]] auto operator()(X const& x) const {
      auto const h = conv(x);
      return norm(attention ? (*attention)(h) : h);
    }
  };
  /// The length of a side after `times` convolutions of stride 2.
  [[nodiscard]] static Index halved(Index side, std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) side = (side + 1) / 2;
    return side;
  }

  Config config_;
  std::vector<ConvStage> stages_;
};

}  // namespace diffsiam::encoder
