// Features with known structure: Gaussian blobs around the corners of a cube.
#pragma once

#include <cstdint>
#include <vector>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/functional/random.hpp>

namespace diffsiam::test {

/// `count` samples of `dims` features, class i % classes; class c is shifted by `distance` along dimension c.
struct Blobs {
  std::vector<float> values;
  std::vector<int> labels;
  Index count, dims;

  Blobs(Index samples, Index width, int classes, float distance, std::uint64_t seed)
      : count(samples), dims(width) {
    for (Index i = 0; i < count; ++i) {
      int const label = static_cast<int>(i) % classes;
      labels.push_back(label);
      for (Index j = 0; j < dims; ++j) {
        auto const element = static_cast<std::uint64_t>(i * dims + j);
        float const noise = functional::normals(Rng{.seed = seed, .stream = 77}.words(element))[0];
        values.push_back(noise + (j == label ? distance : 0.0F));
      }
    }
  }
  [[nodiscard]] eval::Features features() const { return {values, count, dims}; }
  [[nodiscard]] eval::Labelled labelled() const { return {features(), labels}; }
};

}  // namespace diffsiam::test
