// Encoders of others: the configuration of a ModularEncoder from the names and shapes of its published
// weights, in the form of PDAE and DiTi: encoder.<i>, counting convolutions of stride 2, attention,
// GroupNorm, SiLU, and one linear layer at the end.
//
//     auto const [encoder, found, misfits] = io::load_published_encoder<B>(context, "encoder.safetensors");
//
// Shapes do not tell groups, heads, the partition of z, or sides that are not equal or that halve with a
// rest: they are as published (32, 4, all of z at every step, squares), or as the options say.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/io/published_shapes.hpp>
#include <diffsiam/io/weight_sketch.hpp>

namespace diffsiam::io {

/// What names and shapes do not tell of an encoder.
struct PublishedEncoderOptions {
  std::optional<std::string> prefix{};  ///< before "encoder.0"; without it the one that is found
  Index groups = 32;                    ///< of every GroupNorm
  Index heads = 4;                      ///< of the attention
  Index height = 0, width = 0;          ///< of pictures; 0: squares, as large as the linear layer says
  /// Of z; without it one subset over 1000 time-steps.
  std::optional<encoder::TimestepPartition> partition{};
  bool partial = false;  ///< leave weights as they are initialised where the file has none that fit
};

/// What a file tells of its encoder.
template <class B>
struct PublishedEncoder {
  typename encoder::ModularEncoder<B>::Config config{};
  std::string prefix;  ///< that was found before its names
};

/// Reads names and shapes alone. Throws FileError with a sentence for an encoder of another form, ConfigError
/// for a partition or sides that do not fit it.
template <class B>
[[nodiscard]] PublishedEncoder<B> infer_encoder(SafetensorsFile const& file,
                                                PublishedEncoderOptions const& options = {}) {
  PublishedShapes const shapes(file, "infer_encoder", {"encoder.0.weight", "encoder.0.bias"}, options.prefix);
  PublishedEncoder<B> found{.prefix = shapes.prefix()};
  auto& backbone = found.config.backbone;
  backbone = {.in_channels = shapes.shape("encoder.0.weight", 4)[1],
              .channels = {},
              .attention_after = -1,
              .heads = options.heads,
              .groups = options.groups};
  auto const layer = [](Index i) { return "encoder." + std::to_string(i); };
  auto const convolves = [&](std::string const& weight) {
    return shapes.contains(weight) && file.shape(shapes.prefix() + weight).size() == 4;
  };
  constexpr std::size_t most_stages = 20;  // sides of a million pixels
  Index i = 0;
  for (; convolves(layer(i) + ".weight") && backbone.channels.size() < most_stages; i += 2) {
    backbone.channels.push_back(shapes.shape(layer(i) + ".weight", 4)[0]);
    if (shapes.contains(layer(++i) + ".qkv.weight")) {
      backbone.attention_after = static_cast<Index>(backbone.channels.size()) - 1;
      ++i;
    }
    (void)shapes.shape(layer(i) + ".weight", 1);  // GroupNorm; SiLU has no weights
  }
  auto const linear = shapes.shape(layer(++i) + ".weight", 2);  // behind the flattening
  Index const positions = linear[1] / backbone.channels.back(),
              multiple = Index{1} << backbone.channels.size();
  Index side = 1;
  while (side * side < positions) ++side;
  backbone.height = options.height != 0 ? options.height : side * multiple;
  backbone.width = options.width != 0 ? options.width : side * multiple;
  auto const halved = [&](Index length) {
    for (std::size_t n = 0; n < backbone.channels.size(); ++n) length = (length + 1) / 2;
    return length;
  };
  if (halved(backbone.height) * halved(backbone.width) * backbone.channels.back() != linear[1])
    shapes.refuse({"a linear layer behind pictures of ", backbone.height, " x ", backbone.width},
                  {linear[1], " columns for ", backbone.channels.back(), " channels"},
                  "say the sides with `height` and `width`");
  found.config.partition = options.partition.value_or(encoder::TimestepPartition::uniform(
      {.timesteps = 1000, .subsets = 1, .dims = static_cast<int>(linear[0])}));
  if (found.config.partition.dims() != linear[0])
    fail<ConfigError>("infer_encoder", {"a partition of ", linear[0], " dims"},
                      {found.config.partition.dims(), " dims"});
  return found;
}

/// An encoder with published weights.
template <class B>
struct LoadedEncoder {
  encoder::ModularEncoder<B> encoder;  ///< with the weights of the file
  PublishedEncoder<B> found;           ///< what the file tells of it
  WeightMisfits misfits;               ///< empty unless `partial` was asked for
};

/// The encoder of a file. Throws as infer_encoder(), and FileError naming what is missing, misshaped or
/// besides, or not finite.
template <class B>
[[nodiscard]] LoadedEncoder<B> load_published_encoder(typename B::Context& context,
                                                      SafetensorsFile const& file,
                                                      PublishedEncoderOptions const& options = {}) {
  using V = backend::DryRun<B>;
  auto found = infer_encoder<B>(file, options);
  require_weights_of(file, found.prefix, {}, options.partial ? WeightFit::most : WeightFit::all,
                     [&](backend::DryContext& dry) {
                       auto const sketch = infer_encoder<V>(file, options);
                       return encoder::ModularEncoder<V>{dry, sketch.config};
                     });
  LoadedEncoder<B> result{{context, found.config}, std::move(found), {}};
  if (options.partial)
    result.misfits = load_matching_weights(file, result.encoder, result.found.prefix);
  else
    load_weights(file, result.encoder, result.found.prefix);
  return result;
}
template <class B>
[[nodiscard]] LoadedEncoder<B> load_published_encoder(typename B::Context& context,
                                                      std::filesystem::path const& path,
                                                      PublishedEncoderOptions const& options = {}) {
  return load_published_encoder<B>(context, SafetensorsFile::read(path), options);
}

}  // namespace diffsiam::io
