// Features that are averaged over pictures and their mirror images.
#pragma once

#include <algorithm>
#include <vector>

#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/mirrored.hpp>

namespace diffsiam::eval {

/// The mean of f(pictures) and f(mirrored pictures), value by value; f gives as many floats for both. For
/// pictures whose left and right mean nothing. Throws what f throws.
template <class F>
[[nodiscard]] std::vector<float> mean_over_flips(data::Dataset const& pictures, F const& f) {
  std::vector<float> mean = f(pictures);
  std::vector<float> const flipped = f(data::Dataset{data::Mirrored{pictures}});
  std::transform(mean.begin(), mean.end(), flipped.begin(), mean.begin(),
                 [](float a, float b) { return (a + b) / 2; });
  return mean;
}

}  // namespace diffsiam::eval
