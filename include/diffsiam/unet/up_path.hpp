// UpPath: the middle block and the upsampling path. The denoiser has one that is conditioned by time. The
// shift decoder has another, conditioned by time and z, that reads the same skips.
#pragma once

#include <list>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/unet/down_path.hpp>

namespace diffsiam::unet {

/// The `middle` blocks, then `blocks_per_level` + 1 blocks a level, and one that doubles the sides between
/// levels.
template <class B, class Conditioning, class BlockTypes = Blocks>
class UpPath {
 public:
  using Backend = B;

  /// `skip_channels` are those of the downsampling path, the oldest first; `prefix` is put before the
  /// published names.
  DIFFSIAM_STEERS UpPath(nn::Init<B>& init, Config const& config, std::vector<Index> skip_channels,
                         std::string prefix = "")
      : prefix_(std::move(prefix)),
        levels_(config.levels()),
        middle_(init, config, skip_channels.back(), skip_channels.back(), true),
        middle_last_(init, {.in = skip_channels.back(),
                            .out = skip_channels.back(),
                            .embedding = config.embedding(),
                            .groups = config.groups,
                            .dropout = config.dropout}),
        out_norm_(init, {.channels = config.channels(0), .groups = config.groups}),
        out_(init, {.in = config.channels(0), .out = config.in_channels, .zero = true}) {
    Index channels = skip_channels.back();
    for (Index level = config.levels() - 1; level >= 0; --level) {
      for (Index block = 0; block <= config.blocks_per_level; ++block) {
        blocks_.emplace_back(init, config, channels + skip_channels.back(), config.channels(level),
                             config.attends(Index{1} << level));
        skip_channels.pop_back();
        channels = config.channels(level);
      }
      if (level > 0) {
        blocks_.back().lead_on(init, config, channels, nn::Resample::twice);
      }
    }
  }

  /// Takes the skips, the bottom one first, and embeddings (n, embedding), all in one reading; returns (n, h,
  /// w, in_channels).
  template <FlowingValue X, FlowingValue E, FlowingValue... More>
  [[nodiscard]] auto operator()(Skips<X> const& skips, E const& emb, More const&... more) const {
    // The skips may be plain, from a frozen downsampling path, while the embeddings are taped.
    auto h = middle_last_(middle_(raised_to(skips.front(), emb), emb, more...), emb, more...);
    auto skip = skips.begin();
    for (Block const& block : blocks_) {
      h = block(ops::concat(h, *skip++), emb, more...);
      if (block.to_next_level) h = (*block.to_next_level)(h, emb, more...);
    }
    return out_(out_norm_(h));
  }

  template <class F>
  DIFFSIAM_STEERS void for_each_child(F&& f) const {
    f(nn::ChildName{"middle", {prefix_, "middle_block"}}, middle_);
    f(nn::ChildName{"middle_last", {prefix_, "middle_block.2"}}, middle_last_);
    Index n = 0, level = levels_ - 1, of_level = 0;
    for (Block const& block : blocks_) {
      f(nn::ChildName{{"level_", level, ".block_", of_level++}, {prefix_, "output_blocks.", n}}, block);
      if (block.to_next_level) {
        // In published names it is the last child of the level's last block.
        f(nn::ChildName{{"level_", level--, ".up"},
                        {prefix_, "output_blocks.", n, block.attention ? ".2" : ".1"}},
          *block.to_next_level);
        of_level = 0;
      }
      ++n;
    }
    f(nn::ChildName{"out_norm", {prefix_, "out.0"}}, out_norm_);
    f(nn::ChildName{"out", {prefix_, "out.2"}}, out_);
  }

 private:
  using Block = AttendedBlock<B, Conditioning, BlockTypes>;

  std::string prefix_;
  Index levels_;
  Block middle_;
  typename Block::Res middle_last_;
  std::list<Block> blocks_;  ///< of all levels, the bottom one first
  nn::GroupNorm<B, functional::Silu> out_norm_;
  nn::Conv2d<B> out_;
};

}  // namespace diffsiam::unet
