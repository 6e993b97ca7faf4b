// The two random views of a picture that siamese learning compares.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/augment.hpp>
#include <diffsiam/data/augment_config.hpp>
#include <diffsiam/data/image_view.hpp>
#include <diffsiam/data/permutation.hpp>

namespace diffsiam::data {

/// One random view of a picture, in place: f(image, extent, rng, scratch). It is called from several threads.
using Augmentation = std::function<void(std::span<float>, ImageExtent const&, Rng const&, AugmentScratch&)>;

/// Two independent views of a picture, of the same kind or of two.
class TwoViews {
 public:
  /// Throws ConfigError for a configuration out of range.
  explicit TwoViews(AugmentConfig const& config) : TwoViews(config, config) {}
  TwoViews(AugmentConfig const& first, AugmentConfig const& second) : views_{from(first), from(second)} {}
  /// The user's own augmentations.
  explicit TwoViews(Augmentation const& both) : views_{both, both} {}
  TwoViews(Augmentation first, Augmentation second) : views_{std::move(first), std::move(second)} {}

  /// Writes view 0 or 1 of `image` to `out`, both (h, w, c). `step` tells pictures and epochs apart.
  void operator()(int view, std::span<float const> image, ImageExtent const& extent, std::uint64_t seed,
                  std::uint64_t step, std::span<float> out, AugmentScratch& scratch) const {
    std::copy(image.begin(), image.end(), out.begin());
    Rng const rng{.seed = seed, .stream = view_stream + static_cast<std::uint32_t>(view), .step = step};
    views_[static_cast<std::size_t>(view)](out, extent, rng, scratch);
  }

 private:
  [[nodiscard]] static Augmentation from(AugmentConfig const& config) {
    require_valid(config);
    return [config](std::span<float> image, ImageExtent const& extent, Rng const& rng,
                    AugmentScratch& scratch) { augment(image, extent, config, rng, scratch); };
  }

  std::array<Augmentation, 2> views_;
};

}  // namespace diffsiam::data
