// DownPath: the downsampling path of the UNet, from the image to the bottom; it returns the skips.
#pragma once

#include <forward_list>
#include <list>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/unet/blocks.hpp>

namespace diffsiam::unet {

/// Skips, the newest first: the order in which the upsampling path reads them. It is a list, so that no step
/// needs one large block of memory.
template <class X>
using Skips = std::forward_list<X>;

/// The input convolution, then `blocks_per_level` blocks a level, and one that halves the sides between
/// levels.
template <class B, class BlockTypes = Blocks>
class DownPath {
 public:
  using Backend = B;

  /// Throws ConfigError where groups or heads do not divide the channels.
  DIFFSIAM_STEERS DownPath(nn::Init<B>& init, Config const& config)
      : input_(init, {.in = config.in_channels, .out = config.base_channels}) {
    Index channels = config.base_channels;
    skip_channels_.push_back(channels);
    for (Index level = 0; level < config.levels(); ++level) {
      for (Index block = 0; block < config.blocks_per_level; ++block) {
        blocks_.emplace_back(init, config, channels, config.channels(level),
                             config.attends(Index{1} << level));
        channels = config.channels(level);
        skip_channels_.push_back(channels);
      }
      if (level + 1 < config.levels()) {
        blocks_.back().lead_on(init, config, channels, nn::Resample::halve);
        skip_channels_.push_back(channels);
      }
    }
  }

  /// x (n, h, w, in) and emb (n, embedding) -> every skip, the bottom one first.
  template <FlowingValue X, FlowingValue E>
  [[nodiscard]] auto operator()(X const& x, E const& emb) const {
    auto h = input_(x);
    Skips<decltype(h)> skips;
    skips.push_front(h);
    for (Block const& block : blocks_) {
      skips.push_front(h = block(h, emb));
      if (block.to_next_level) skips.push_front(h = (*block.to_next_level)(h, emb));
    }
    return skips;
  }

  /// Channels of each skip, the oldest first.
  [[nodiscard]] std::vector<Index> const& skip_channels() const& { return skip_channels_; }
  [[nodiscard]] std::vector<Index> skip_channels() const&& { return skip_channels_; }

  /// In published names input_blocks.n counts the input convolution, the blocks and the down blocks in one
  /// sequence.
  template <class F>
  DIFFSIAM_STEERS void for_each_child(F&& f) const {
    f(nn::ChildName{"input", "0.0"}, input_);
    Index n = 1, level = 0, of_level = 0;
    for (Block const& block : blocks_) {
      f(nn::ChildName{{"level_", level, ".block_", of_level++}, n++}, block);
      if (!block.to_next_level) continue;
      f(nn::ChildName{{"level_", level++, ".down"}, {n++, ".0"}}, *block.to_next_level);
      of_level = 0;
    }
  }

 private:
  using Block = AttendedBlock<B, nn::TimeModulation<B>, BlockTypes>;

  nn::Conv2d<B> input_;
  std::list<Block> blocks_;  ///< of all levels; in a list, because blocks are never moved
  std::vector<Index> skip_channels_;
};

}  // namespace diffsiam::unet
