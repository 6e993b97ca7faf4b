// The shape of a published encoder, read from the names and shapes of its weights.
#pragma once

#include <string>
#include <vector>

#include <tests/golden/file.hpp>

namespace diffsiam::golden {

struct EncoderShape {
  Index in_channels = 0, height = 0, width = 0;
  std::vector<Index> channels;
  Index attention_after = -1;
  Index heads = 4;  ///< as published; no file says it
  Index groups = 32;

  /// As the configuration of a backbone.
  template <class Config>
  [[nodiscard]] Config as() const {
    return {.in_channels = in_channels,
            .height = height,
            .width = width,
            .channels = channels,
            .attention_after = attention_after,
            .heads = heads,
            .groups = groups};
  }
};

/// Layers `prefix`<i>: convolutions, each with attention behind it or not, and GroupNorm; a linear layer
/// last. Throws FileError for any other order. Sides are those of the tensor `image`.
[[nodiscard]] EncoderShape encoder_shape_of(File const& file, std::string const& prefix,
                                            std::string const& image);

}  // namespace diffsiam::golden
