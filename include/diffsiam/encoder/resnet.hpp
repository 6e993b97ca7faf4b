// ResNet10: a backbone with one basic block per stage (He et al., 2016), for pictures of any size that its
// stages can halve.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/nn/batch_norm.hpp>
#include <diffsiam/nn/conv2d.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/pool.hpp>

namespace diffsiam::encoder {

/// x (n, height, width, in_channels) -> (n, 8 width). It has a stem of one 3x3 convolution, then stages of w,
/// 2w, 4w and 8w channels, the last three with stride 2, then the mean over all pixels. Training uses batch
/// statistics.
template <class B>
class ResNet10 {
 public:
  using Backend = B;
  static constexpr std::string_view kind = "resnet10";  ///< in files of models
  struct Config {
    Index in_channels = 3;  ///< of the picture, at least 1
    Index width = 32;       ///< w, channels of the first stage

    template <class Self, class F>
    static void for_each_field(Self& self, F&& f) {
      f("in_channels", self.in_channels);
      f("width", self.width);
    }
  };

  /// Throws ConfigError for channels below 1.
  ResNet10(nn::Init<B>& init, Config const& config)
      : config_(config),
        stem_(init, {.in = config.in_channels, .out = config.width, .bias = false}),
        norm_(init, {.channels = config.width}) {
    Index in = config.width;
    for (Index stage = 0; stage < stages; ++stage) {
      Index const out = config.width << stage;
      blocks_.emplace_back(init, in, out, stage == 0 ? 1 : 2);
      in = out;
    }
  }

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    auto h = ops::relu(norm_(stem_(x)));
    for (Block const& block : blocks_) h = block(h);
    return ops::global_average_pool(h);
  }

  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  /// Numbers a picture: 8 width.
  [[nodiscard]] Index features() const { return config_.width << (stages - 1); }
  /// Features are no flattened picture, so a head is stored as it is.
  [[nodiscard]] PublishedLayout head_layout() const { return {}; }
  /// There are no published weights; the number of the head follows those of the stages.
  [[nodiscard]] Index published_head() const { return stages + 1; }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"stem.conv"}, stem_);
    f(nn::ChildName{"stem.norm"}, norm_);
    for (std::size_t i = 0; i < blocks_.size(); ++i) f(nn::ChildName{text({"stage_", i})}, blocks_[i]);
  }

 private:
  static constexpr Index stages = 4;

  struct Block {
    using Backend = B;
    nn::Conv2d<B> conv_1;
    nn::BatchNorm<B> norm_1;
    nn::Conv2d<B> conv_2;
    nn::BatchNorm<B> norm_2;
    std::optional<nn::Conv2d<B>> skip;  ///< 1x1, where stride or channels change

    Block(nn::Init<B>& init, Index in, Index out, Index stride)
        : conv_1(init, {.in = in, .out = out, .stride = stride, .bias = false}),
          norm_1(init, {.channels = out}),
          conv_2(init, {.in = out, .out = out, .bias = false}),
          norm_2(init, {.channels = out}) {
      if (stride != 1 || in != out)
        skip.emplace(init,
                     typename nn::Conv2d<B>::Config{.in = in, .out = out, .kernel = 1, .stride = stride});
    }
    template <FlowingValue X>
    [[nodiscard]] auto operator()(X const& x) const {
      auto const h = norm_2(conv_2(ops::relu(norm_1(conv_1(x)))));
      return ops::relu(skip ? ops::add((*skip)(x), h) : ops::add(x, h));
    }
    template <class F>
    void for_each_child(F&& f) const {
      f(nn::ChildName{"conv_1"}, conv_1);
      f(nn::ChildName{"norm_1"}, norm_1);
      f(nn::ChildName{"conv_2"}, conv_2);
      f(nn::ChildName{"norm_2"}, norm_2);
      if (skip) f(nn::ChildName{"skip"}, *skip);
    }
  };

  Config config_;
  nn::Conv2d<B> stem_;
  nn::BatchNorm<B> norm_;
  std::vector<Block> blocks_;
};

}  // namespace diffsiam::encoder
