// UpPath: the middle and the way up. The denoiser has one conditioned by time; the shift decoder has one
// more, conditioned by time and z, that reads the same skips.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <diffsiam/ops/concat.hpp>
#include <diffsiam/unet/down_path.hpp>

namespace diffsiam::unet {

template <class B, class Conditioning, class BlockTypes = Blocks>
class UpPath {
 public:
  using Backend = B;

  /// `skip_channels` of the way down, the oldest first; `prefix` stands before the published names.
  UpPath(nn::Init<B>& init, Config const& config, std::vector<Index> skip_channels, std::string prefix = "")
      : prefix_(std::move(prefix)),
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
      Level built;
      for (Index block = 0; block <= config.blocks_per_level; ++block) {
        built.blocks.emplace_back(init, config, channels + skip_channels.back(), config.channels(level),
                                  config.attends(Index{1} << level));
        skip_channels.pop_back();
        channels = config.channels(level);
      }
      if (level > 0) {
        built.up.emplace(init, typename Up::Config{.in = channels,
                                                   .out = channels,
                                                   .embedding = config.embedding(),
                                                   .groups = config.groups,
                                                   .dropout = config.dropout});
      }
      levels_.push_back(std::move(built));
    }
  }

  /// Skips, the bottom one first, and embeddings (n, embedding), all in one reading -> (n, h, w,
  /// in_channels).
  template <FlowingValue X, FlowingValue E, FlowingValue... More>
  [[nodiscard]] auto operator()(Skips<X> const& skips, E const& emb, More const&... more) const {
    // The skips may be plain, from a frozen way down, while the embeddings are taped.
    auto h = middle_last_(middle_(raised_to(skips.front(), emb), emb, more...), emb, more...);
    auto skip = skips.begin();
    for (Level const& level : levels_) {
      for (auto const& block : level.blocks) h = block(ops::concat(h, *skip++), emb, more...);
      if (level.up) h = (*level.up)(h, emb, more...);
    }
    return out_(out_norm_(h));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"middle", prefix_ + "middle_block"}, middle_);
    f(nn::ChildName{"middle_last", prefix_ + "middle_block.2"}, middle_last_);
    Index n = 0;
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      std::string const level = "level_" + std::to_string(levels_.size() - 1 - l);
      for (std::size_t b = 0; b < levels_[l].blocks.size(); ++b, ++n) {
        auto const& block = levels_[l].blocks[b];
        std::string const published = prefix_ + "output_blocks." + std::to_string(n);
        f(nn::ChildName{level + ".block_" + std::to_string(b), published}, block);
        // The up block is the last child of the level's last block.
        if (b + 1 == levels_[l].blocks.size() && levels_[l].up) {
          f(nn::ChildName{level + ".up", published + (block.attention ? ".2" : ".1")}, *levels_[l].up);
        }
      }
    }
    f(nn::ChildName{"out_norm", prefix_ + "out.0"}, out_norm_);
    f(nn::ChildName{"out", prefix_ + "out.2"}, out_);
  }

 private:
  using Up = typename BlockTypes::template Res<B, Conditioning, nn::DoubleSize>;
  struct Level {
    std::vector<AttendedBlock<B, Conditioning, BlockTypes>> blocks;
    std::optional<Up> up;
  };

  std::string prefix_;
  AttendedBlock<B, Conditioning, BlockTypes> middle_;
  typename BlockTypes::template Res<B, Conditioning, nn::KeepSize> middle_last_;
  std::vector<Level> levels_;
  nn::GroupNorm<B, functional::Silu> out_norm_;
  nn::Conv2d<B> out_;
};

}  // namespace diffsiam::unet
