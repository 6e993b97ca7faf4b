// DownPath: from the image to the bottom of the UNet, leaving skips on the way.
#pragma once

#include <forward_list>
#include <vector>

#include <diffsiam/unet/blocks.hpp>

namespace diffsiam::unet {

/// Skips, newest first: the order in which the way up takes them. A list, so that no step needs one large
/// block.
template <class X>
using Skips = std::forward_list<X>;

template <class B, class BlockTypes = Blocks>
class DownPath {
 public:
  using Backend = B;

  DownPath(nn::Init<B>& init, Config const& config)
      : input_(init, {.in = config.in_channels, .out = config.base_channels}) {
    Index channels = config.base_channels;
    skip_channels_.push_back(channels);
    for (Index level = 0; level < config.levels(); ++level) {
      Level built;
      for (Index block = 0; block < config.blocks_per_level; ++block) {
        built.blocks.emplace_back(init, config, channels, config.channels(level),
                                  config.attends(Index{1} << level));
        channels = config.channels(level);
        skip_channels_.push_back(channels);
      }
      if (level + 1 < config.levels()) {
        built.down.emplace(init, typename Down::Config{.in = channels,
                                                       .out = channels,
                                                       .embedding = config.embedding(),
                                                       .groups = config.groups,
                                                       .dropout = config.dropout});
        skip_channels_.push_back(channels);
      }
      levels_.push_back(std::move(built));
    }
  }

  /// x (n, h, w, in) and emb (n, embedding) -> every skip, the bottom one first.
  template <FlowingValue X, FlowingValue E>
  [[nodiscard]] auto operator()(X const& x, E const& emb) const {
    auto h = input_(x);
    Skips<decltype(h)> skips;
    skips.push_front(h);
    for (Level const& level : levels_) {
      for (auto const& block : level.blocks) skips.push_front(h = block(h, emb));
      if (level.down) skips.push_front(h = (*level.down)(h, emb));
    }
    return skips;
  }

  /// Channels of each skip, the oldest first.
  [[nodiscard]] std::vector<Index> const& skip_channels() const { return skip_channels_; }

  /// Published: input_blocks.n counts the input convolution, the blocks and the down blocks in turn.
  template <class F>
  void for_each_child(F&& f) const {
    Index n = 0;
    auto const published = [&n](char const* child) { return std::to_string(n++) + child; };
    f(nn::ChildName{"input", published(".0")}, input_);
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      std::string const level = "level_" + std::to_string(l);
      for (std::size_t b = 0; b < levels_[l].blocks.size(); ++b) {
        f(nn::ChildName{level + ".block_" + std::to_string(b), published("")}, levels_[l].blocks[b]);
      }
      if (levels_[l].down) f(nn::ChildName{level + ".down", published(".0")}, *levels_[l].down);
    }
  }

 private:
  using Down = typename BlockTypes::template Res<B, nn::TimeModulation<B>, nn::HalveSize>;
  struct Level {
    std::vector<AttendedBlock<B, nn::TimeModulation<B>, BlockTypes>> blocks;
    std::optional<Down> down;
  };

  nn::Conv2d<B> input_;
  std::vector<Level> levels_;
  std::vector<Index> skip_channels_;
};

}  // namespace diffsiam::unet
