// Blocks: the types that a UNet is built of. Replace any of them to build another network with the same
// connections.
#pragma once

#include <optional>
#include <string_view>

#include <diffsiam/nn/attention.hpp>
#include <diffsiam/nn/res_block.hpp>
#include <diffsiam/unet/config.hpp>

namespace diffsiam::unet {

/// The published blocks.
struct Blocks {
  static constexpr std::string_view kind = "published";  ///< in files of models
  /// A residual block; its Config is that of nn::ResBlock.
  template <class B, class Conditioning>
  using Res = nn::ResBlock<B, Conditioning>;
  /// Attention over all pixels; its Config is that of nn::SelfAttention.
  template <class B>
  using Attention = nn::SelfAttention<B>;
};

/// A residual block, followed by attention where the level has attention. The last block of a level has one
/// more block, which leads to the next level; the path calls it.
template <class B, class Conditioning, class BlockTypes>
struct AttendedBlock {
  using Backend = B;
  /// The type of the residual block.
  using Res = typename BlockTypes::template Res<B, Conditioning>;
  /// The type of the attention.
  using Attention = typename BlockTypes::template Attention<B>;

  Res res;                             ///< always there
  std::optional<Attention> attention;  ///< where the level attends
  std::optional<Res> to_next_level;    ///< in the last block of a level

  /// From `in` to `out` channels. Throws ConfigError where groups or heads do not divide them.
  AttendedBlock(nn::Init<B>& init, Config const& config, Index in, Index out, bool attends)
      : res(init, {.in = in,
                   .out = out,
                   .embedding = config.embedding(),
                   .groups = config.groups,
                   .dropout = config.dropout}) {
    if (attends) {
      attention.emplace(init, typename Attention::Config{
                                  .channels = out, .heads = config.heads_of(out), .groups = config.groups});
    }
  }

  /// Adds the block that leads to the next level.
  void lead_on(nn::Init<B>& init, Config const& config, Index channels, nn::Resample resample) {
    to_next_level.emplace(init, typename Res::Config{.in = channels,
                                                     .out = channels,
                                                     .embedding = config.embedding(),
                                                     .groups = config.groups,
                                                     .dropout = config.dropout,
                                                     .resample = resample});
  }

  /// x (n, h, w, in) and embeddings (n, embedding) -> (n, h, w, out), without to_next_level.
  template <FlowingValue X, FlowingValue... E>
  [[nodiscard]] auto operator()(X const& x, E const&... embeddings) const {
    auto const h = res(x, embeddings...);
    return attention ? (*attention)(h) : h;
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"res", "0"}, res);
    if (attention) f(nn::ChildName{"attention", "1"}, *attention);
  }
};

}  // namespace diffsiam::unet
