// A measure that needs no labels: whether the features of an augmented view lead back to its picture.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include <diffsiam/data/loader.hpp>
#include <diffsiam/eval/nearest.hpp>
#include <diffsiam/io/picture.hpp>

#include <experiments/support/measures.hpp>

namespace experiments {

/// The first test pictures, at most 1,000, and another view of each, crops, flips and light as in training.
struct ViewPairs {
  ds::data::Dataset pictures, views;

  ViewPairs(ds::data::Dataset const& test, std::uint64_t seed)
      : pictures(test.slice(0, std::min<ds::Index>(1000, test.size()))) {
    ds::data::Loader loader{pictures,
                            {.batch_size = std::min<ds::Index>(100, pictures.size()),
                             .seed = seed,
                             .shuffle = false,
                             .drop_last = false,
                             .prefetch = 0,
                             .views = ds::data::TwoViews{views_for(pictures.channels())}}};
    std::vector<std::uint8_t> pixels;
    for (auto const& batch : loader)
      std::transform(batch.views[0].begin(), batch.views[0].end(), std::back_inserter(pixels),
                     ds::io::pixel_from_unit<float>);
    views = ds::data::Dataset::from(pixels, pictures.shape());
  }
};

/// The share of views whose nearest picture, by the cosine of features, is the one they were made of; chance
/// is one of all. `features` gives rows of `dims` values of a Dataset.
[[nodiscard]] inline double view_retrieval(
    ViewPairs const& pairs, ds::Index dims,
    std::function<std::vector<float>(ds::data::Dataset const&)> const& features, ds::ThreadPool& threads) {
  std::vector<float> const base = features(pairs.pictures), queries = features(pairs.views);
  auto const nearest =
      ds::eval::nearest_neighbours(features_of(base, dims), features_of(queries, dims), 1, &threads);
  ds::Index right = 0;
  for (ds::Index i = 0; i < pairs.pictures.size(); ++i) right += nearest.of(i)[0].index == i ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(pairs.pictures.size());
}

}  // namespace experiments
