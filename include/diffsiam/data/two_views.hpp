// TwoViews: the two random views of a picture that siamese learning compares.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <span>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/augment.hpp>
#include <diffsiam/data/augment_config.hpp>
#include <diffsiam/data/image_view.hpp>
#include <diffsiam/data/permutation.hpp>

namespace diffsiam::data {

/// Satisfied if and only if a const A can be called with (image, extent, rng, scratch). It must replace the
/// picture by a random view that depends only on picture and rng, and it is called from several threads.
/// Models: the function of an AugmentConfig, and the user's own.
template <class A>
concept Augmentation =
    std::copy_constructible<A> &&
    std::invocable<A const&, std::span<float>, ImageExtent const&, Rng const&, AugmentScratch&>;

/// Two independent views of a picture, of the same kind or of two kinds.
class TwoViews {
 public:
  /// From an AugmentConfig or the user's own Augmentation. Throws ConfigError for a configuration out of
  /// range.
  template <class A>
    requires(!std::same_as<A, TwoViews>)
  explicit TwoViews(A const& both) : TwoViews(both, both) {}
  template <class First, class Second>
  TwoViews(First const& first, Second const& second) : views_{from(first), from(second)} {}

  /// Writes view 0 or 1 of `image` to `out`, both (h, w, c). `step` must differ between pictures and epochs.
  void operator()(int view, std::span<float const> image, ImageExtent const& extent, std::uint64_t seed,
                  std::uint64_t step, std::span<float> out, AugmentScratch& scratch) const {
    std::copy(image.begin(), image.end(), out.begin());
    Rng const rng{.seed = seed, .stream = view_stream + static_cast<std::uint32_t>(view), .step = step};
    views_[static_cast<std::size_t>(view)](out, extent, rng, scratch);
  }

 private:
  using View = std::function<void(std::span<float>, ImageExtent const&, Rng const&, AugmentScratch&)>;

  template <class A>
  [[nodiscard]] static View from(A const& own) {
    static_assert(Augmentation<A>,
                  "An augmentation is called with (image, extent, rng, scratch) and writes a view; see "
                  "Augmentation.");
    return own;
  }
  [[nodiscard]] static View from(AugmentConfig const& config) {
    require_valid(config);
    return [config](std::span<float> image, ImageExtent const& extent, Rng const& rng,
                    AugmentScratch& scratch) { augment(image, extent, config, rng, scratch); };
  }

  std::array<View, 2> views_;
};

}  // namespace diffsiam::data
