// An augmentation of the user's own: one picture in two becomes its negative.
#pragma once

#include <span>

#include <diffsiam/data/two_views.hpp>

struct Negative {
  void operator()(std::span<float> image, diffsiam::data::ImageExtent const&, diffsiam::Rng const& rng,
                  diffsiam::data::AugmentScratch&) const {
    if (rng.words(0)[0] % 2 == 0)
      for (float& x : image) x = -x;
  }
};
