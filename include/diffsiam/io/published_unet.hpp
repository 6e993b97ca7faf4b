// Denoisers of others: the configuration of a UNet from the names and shapes of its published weights, in the
// form of guided diffusion (Dhariwal and Nichol 2021, "ADM"), which PDAE, DiTi and Diff-AE share: time_embed,
// input_blocks.N, middle_block, output_blocks.N, out.
//
//     auto const [denoiser, found, misfits] = io::load_published_unet<B>(context, "ema.safetensors");
//
// Shapes do not tell groups and heads: they are as published, 32 and 1, or as the options say. Nor do they
// tell the order of q, k and v between heads (it is [q k v] per head here), or that some input channels are a
// condition, as in upsamplers.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/io/published_shapes.hpp>
#include <diffsiam/io/weight_sketch.hpp>
#include <diffsiam/unet/unet.hpp>

namespace diffsiam::io {

/// What names and shapes do not tell of a denoiser.
struct PublishedUNetOptions {
  std::optional<std::string> prefix{};  ///< of the names; without it the one that is found
  Index groups = 32;                    ///< of every GroupNorm
  Index heads = 1;                      ///< of each attention, unless head_channels is set
  Index head_channels = 0;              ///< if not 0: heads = channels / head_channels
  /// The class of a class-conditional network, which then is the denoiser of that class.
  std::optional<Index> label{};
  bool partial = false;  ///< leave weights as they are initialised where the file has none that fit
};

/// What a file tells of its denoiser.
struct PublishedUNet {
  unet::Config config;
  std::string prefix;                  ///< of its names
  bool learned_variance = false;       ///< half of the last convolution predicts the variance
  std::optional<Index> classes{};      ///< of a class-conditional network
  std::optional<Index> latent_dims{};  ///< of the shift decoder below the same prefix (PDAE, DiTi)
  std::vector<std::string> notes{};    ///< sentences on what was left out or folded in
};

namespace detail {

/// Where the blocks of a UNet are, and how many there are.
struct UNetLayout {
  Index levels, blocks_per_level;

  explicit UNetLayout(PublishedShapes const& shapes) {
    auto const residual = [&](std::string const& place) {
      return shapes.contains(place + ".in_layers.2.weight");
    };
    Index inputs = 1, outputs = 0;
    std::vector<Index> ups;
    for (; residual(block("input_blocks", inputs) + ".0"); ++inputs) continue;
    for (; residual(block("output_blocks", outputs) + ".0"); ++outputs) {
      std::string const place = block("output_blocks", outputs);
      if (residual(place + ".1") || residual(place + ".2")) ups.push_back(outputs);
      for (char const* child : {".1", ".2"})
        if (shapes.contains(place + child + ".conv.weight")) refuse_plain_resampling(shapes, place + child);
    }
    if (std::string const place = block("input_blocks", inputs) + ".0"; shapes.contains(place + ".op.weight"))
      refuse_plain_resampling(shapes, place);
    levels = static_cast<Index>(ups.size()) + 1;
    Index const each = outputs / levels;
    blocks_per_level = each - 1;
    bool even = inputs == outputs && outputs % levels == 0 && each >= 2;
    for (std::size_t i = 0; i < ups.size(); ++i)
      even = even && ups[i] == (static_cast<Index>(i) + 1) * each - 1;
    if (!even)
      shapes.refuse("as many blocks at each level of the way down and up",
                    {inputs, " input blocks, ", outputs, " output blocks, ", ups.size(), " of them go up"},
                    "is a tensor missing?");
  }

  [[nodiscard]] static std::string block(char const* path, Index n) {
    return std::string(path) + "." + std::to_string(n);
  }
  /// The first block of a level on the way down.
  [[nodiscard]] std::string first_of(Index level) const {
    return block("input_blocks", 1 + level * (blocks_per_level + 1));
  }

 private:
  [[noreturn]] static void refuse_plain_resampling(PublishedShapes const& shapes, std::string const& place) {
    shapes.refuse("residual blocks that resample (resblock_updown)",
                  {"a plain convolution at ", shown_name(place)}, "such networks are not supported");
  }
};

}  // namespace detail

/// Reads names and shapes alone. Throws FileError with a sentence for a network of another form, ConfigError
/// for groups or heads that do not fit it.
[[nodiscard]] inline PublishedUNet infer_unet(SafetensorsFile const& file,
                                              PublishedUNetOptions const& options = {}) {
  PublishedShapes const shapes(file, "infer_unet", {"input_blocks.0.0.weight", "out.2.weight"},
                               options.prefix);
  if (!shapes.contains("time_embed.0.weight"))
    shapes.refuse("a denoiser that is told the time alone (time_embed.0)", "another time embedding",
                  "the decoder of Diff-AE is conditioned in every block, and is not supported");
  detail::UNetLayout const layout(shapes);
  PublishedUNet found;
  found.prefix = shapes.prefix();
  auto const first = shapes.shape("input_blocks.0.0.weight", 4);
  auto const time = shapes.shape("time_embed.0.weight", 2);
  auto const last = shapes.shape("out.2.weight", 4);
  unet::Config& config = found.config;
  config = {.in_channels = first[1],
            .base_channels = time[1],
            .multipliers = {},
            .blocks_per_level = layout.blocks_per_level,
            .attention_factors = {},
            .heads = options.heads,
            .head_channels = options.head_channels,
            .groups = options.groups};
  if (first[0] != config.base_channels || time[0] != config.embedding())
    shapes.refuse("a first convolution as wide as the time embedding, and 4 times as many embedded",
                  {first[0], ", ", time[1], " and ", time[0]});

  for (Index level = 0; level < layout.levels; ++level) {
    std::string const place = layout.first_of(level);
    Index const channels = shapes.shape(place + ".0.in_layers.2.weight", 4)[0];
    if (channels % config.base_channels != 0)
      shapes.refuse({"multiples of ", config.base_channels, " channels"},
                    {channels, " at ", detail::shown_name(place)});
    config.multipliers.push_back(channels / config.base_channels);
    if (shapes.shape(place + ".0.emb_layers.1.weight", 2)[0] != 2 * channels)
      shapes.refuse("blocks that scale and shift by the time (use_scale_shift_norm)",
                    {"other rows of ", detail::shown_name(place + ".0.emb_layers.1.weight")},
                    "such networks are not supported");
    if (shapes.contains(place + ".1.qkv.weight") && level < unet::Config::most_levels)
      config.attention_factors.push_back(Index{1} << level);
  }

  found.learned_variance = last[0] == 2 * first[1];
  if (found.learned_variance)
    found.notes.push_back("The last convolution also predicts the variance. Its first " +
                          std::to_string(first[1]) + " channels, which predict eps, are read.");
  else if (last[0] != first[1])
    shapes.refuse({first[1], " channels of the prediction, or ", 2 * first[1], " with the variance"},
                  last[0]);
  if (shapes.contains("label_emb.weight")) {
    auto const label = shapes.shape("label_emb.weight", 2);
    // An embedding of classes has no bias; the linear layer of a shift decoder has one.
    if (shapes.contains("label_emb.bias"))
      found.latent_dims = label[1];
    else if (label[1] == config.embedding())
      found.classes = label[0];
    else
      shapes.refuse({"classes that are embedded in ", config.embedding(), " dims"}, label[1]);
  }
  config.validate();
  return found;
}

/// A denoiser with published weights.
template <class B>
struct LoadedUNet {
  unet::UNet<B> denoiser;  ///< with the weights of the file
  PublishedUNet found;     ///< what the file tells of it
  WeightMisfits misfits;   ///< empty unless `partial` was asked for
};

/// The denoiser of a file. Learned variance is left out: eps is the first half of the channels. A
/// class-conditional network adds a row of label_emb to the embedding of the time; for one class this is the
/// same as another bias of time_embed.2, so with a `label` the result is exactly the denoiser of that class.
/// Throws ConfigError where the label is missing or out of range, for without one the network was never
/// trained (some have one more row for "no class": its number may be given). Otherwise as infer_unet(); and
/// FileError naming what is missing, misshaped or besides, or not finite.
template <class B>
[[nodiscard]] LoadedUNet<B> load_published_unet(typename B::Context& context, SafetensorsFile file,
                                                PublishedUNetOptions const& options = {}) {
  PublishedUNet found = infer_unet(file, options);
  std::string const& prefix = found.prefix;
  Index const classes = found.classes.value_or(0);
  if (options.label.has_value() != found.classes.has_value() || options.label.value_or(0) < 0 ||
      (found.classes && *options.label >= classes))
    fail<ConfigError>("load_published_unet",
                      found.classes ? text({"a label in [0, ", classes, ")"}) : std::string("no label"),
                      options.label ? std::to_string(*options.label) : "none",
                      found.classes ? "the network is conditioned by class; with a label it is the denoiser "
                                      "of that class"
                                    : "the network has no classes");
  if (found.learned_variance) {
    file.keep_first_rows(prefix + "out.2.weight", found.config.in_channels);
    if (file.contains(prefix + "out.2.bias"))
      file.keep_first_rows(prefix + "out.2.bias", found.config.in_channels);
  }
  Besides besides;
  if (found.classes || found.latent_dims) besides.parts.insert(besides.parts.end(), {"label_emb", "shift_"});
  require_weights_of(
      file, prefix, besides, options.partial ? WeightFit::most : WeightFit::all,
      [&](backend::DryContext& dry) { return unet::UNet<backend::DryRun<B>>{dry, found.config}; });
  LoadedUNet<B> result{{context, found.config}, std::move(found), {}};
  if (options.partial)
    result.misfits = load_matching_weights(file, result.denoiser, result.found.prefix);
  else
    load_weights(file, result.denoiser, result.found.prefix, besides);
  if (options.label) {
    std::vector<double> const rows = file.values<double>(result.found.prefix + "label_emb.weight");
    nn::for_each_leaf(result.denoiser, [&](nn::LeafName const& path, auto const& leaf) {
      if (path.published != "time_embed.2.bias") return;
      std::vector<double> bias = leaf.value().template values<double>();
      auto const row = static_cast<std::size_t>(*options.label) * bias.size();
      for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += rows.at(row + i);
      leaf.value().assign(std::span<double const>(bias));
    });
    result.found.notes.push_back("The embedding of class " + std::to_string(*options.label) +
                                 " is in the bias of time_embed.2.");
  }
  return result;
}
template <class B>
[[nodiscard]] LoadedUNet<B> load_published_unet(typename B::Context& context,
                                                std::filesystem::path const& path,
                                                PublishedUNetOptions const& options = {}) {
  return load_published_unet<B>(context, SafetensorsFile::read(path), options);
}

}  // namespace diffsiam::io
