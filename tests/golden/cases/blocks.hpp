// Cases of one block: attention and the residual blocks.
#pragma once

#include <string>

#include <tests/golden/compare.hpp>

#include <diffsiam/nn/attention.hpp>
#include <diffsiam/nn/res_block.hpp>

namespace diffsiam::golden {

template <class B>
void check_attention_block(typename B::Context& context, File const& file, Report& report) {
  file.expect("layout", "NCHW");
  file.expect("qkv_order", "head-major");
  if (file.flag_or("use_new_attention_order", false))
    fail<FileError>("golden", "attention with q, k and v together in each head",
                    "use_new_attention_order in '" + file.name() + "'", "the other order is not supported");
  Index const channels = file.integer_or("channels", file.shape("input.x").channels());
  Index const per_head = file.integer_or("head_channel", -1);
  nn::Init<B> init{context, 0};
  nn::SelfAttention<B> const block{
      init, typename nn::SelfAttention<B>::Config{
                .channels = channels,
                .heads = per_head > 0 ? channels / per_head : file.integer_or("num_heads", 1),
                .groups = file.integer_or("groups", 32)}};
  compare_module<B>(context, file, report, block, [&](auto const& x) { return block(x); }, std::string("x"));
}

/// `inputs` besides x: the embeddings, in the order of the block's arguments.
template <class B, class Conditioning, class... Name>
void check_res_block(typename B::Context& context, File const& file, Report& report, nn::Resample resample,
                     Name const&... inputs) {
  using Block = nn::ResBlock<B, Conditioning>;
  file.expect("layout", "NCHW");
  Index const in = file.shape("input.x").channels();
  nn::Init<B> init{context, 0};
  Block const block{init, typename Block::Config{.in = file.integer_or("channels", in),
                                                 .out = file.integer_or("out_channels", in),
                                                 .embedding = file.integer_or(
                                                     "emb_channels", file.shape("input.emb").channels()),
                                                 .groups = file.integer_or("groups", 32),
                                                 .dropout = file.number_or("dropout", 0),
                                                 .resample = resample}};
  compare_module<B>(
      context, file, report, block, [&](auto const&... x) { return block(x...); }, std::string("x"),
      inputs...);
}

/// Is the case a residual block? Then it is checked: res_block, perhaps _shift, perhaps _up or _down.
template <class B>
bool check_if_res_block(typename B::Context& context, File const& file, Report& report,
                        std::string const& name) {
  using Time = nn::TimeModulation<B>;
  using Shift = nn::ShiftModulation<B>;
  std::string const emb = "emb", emb_z = "emb_z";
  if (name == "res_block") {
    check_res_block<B, Time>(context, file, report, nn::Resample::keep, emb);
  } else if (name == "res_block_down") {
    file.expect("resample", "down: average 2x2");
    check_res_block<B, Time>(context, file, report, nn::Resample::halve, emb);
  } else if (name == "res_block_up") {
    file.expect("resample", "up: nearest x2");
    check_res_block<B, Time>(context, file, report, nn::Resample::twice, emb);
  } else if (name == "res_block_shift") {
    check_res_block<B, Shift>(context, file, report, nn::Resample::keep, emb, emb_z);
  } else if (name == "res_block_shift_up") {
    file.expect("resample", "up: nearest x2");
    check_res_block<B, Shift>(context, file, report, nn::Resample::twice, emb, emb_z);
  } else {
    return false;
  }
  return true;
}

}  // namespace diffsiam::golden
