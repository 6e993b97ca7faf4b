#include <cstdio>
#include <map>

#include <tests/golden/encoder_shape.hpp>

namespace diffsiam::golden {

namespace {

enum class Layer { convolution, attention, norm, linear };

/// The layers by their number.
std::map<int, Layer> layers_of(File const& file, std::string const& prefix) {
  std::map<int, Layer> layers;
  for (std::string const& name : file.names()) {
    if (!name.starts_with(prefix)) continue;
    int number = -1, length = 0;
    std::sscanf(name.c_str() + prefix.size(), "%d.%n", &number, &length);
    std::string const part = name.substr(prefix.size() + static_cast<std::size_t>(length));
    if (length > 0 && part == "qkv.weight") layers[number] = Layer::attention;
    if (length == 0 || part != "weight") continue;
    auto const rank = file.stored_shape(name).size();
    layers[number] = rank == 4 ? Layer::convolution : (rank == 2 ? Layer::linear : Layer::norm);
  }
  return layers;
}

}  // namespace

EncoderShape encoder_shape_of(File const& file, std::string const& prefix, std::string const& image) {
  Shape const pixels = file.shape(image);
  require_rank("golden", 4, pixels, "(n, h, w, c)");
  EncoderShape shape{.in_channels = pixels[3],
                     .height = pixels[1],
                     .width = pixels[2],
                     .channels = {},
                     .heads = file.integer_or("encoder_num_heads", 4),
                     .groups = file.integer_or("groups", 32)};
  Layer before = Layer::norm;  // each stage begins behind a norm
  for (auto const& [number, layer] : layers_of(file, prefix)) {
    std::string const name = prefix + std::to_string(number);
    bool const fits = layer == Layer::norm        ? before == Layer::convolution || before == Layer::attention
                      : layer == Layer::attention ? before == Layer::convolution && shape.attention_after < 0
                                                  : before == Layer::norm;
    if (!fits)
      fail<FileError>("golden", "an encoder of (convolution, attention once, GroupNorm) ... linear",
                      "'" + name + "' out of order", "another architecture is not supported");
    if (layer == Layer::convolution) shape.channels.push_back(file.stored_shape(name + ".weight")[0]);
    if (layer == Layer::attention) shape.attention_after = static_cast<Index>(shape.channels.size()) - 1;
    before = layer;
  }
  if (before != Layer::linear)
    fail<FileError>("golden", "an encoder that ends in a linear layer", "another layer last");
  return shape;
}

}  // namespace diffsiam::golden
