// The oracle: the same pictures drawn again with the level that is asked for, all other factors as they were.
// The judge makes mistakes with such a perfect edit, too, so the ratio of an edit is compared with the
// oracle's.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <diffsiam/data/shapes.hpp>

#include <experiments/editing/subjects.hpp>

namespace experiments {

/// Pictures of the same levels but for the wish's.
[[nodiscard]] inline ds::Tensor<B> drawn_again(Studio const& studio, Subjects const& subjects,
                                               Wish const& wish) {
  std::vector<ds::data::ShapeValues> values(static_cast<std::size_t>(subjects.count()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto const from = subjects.levels.begin() + static_cast<std::ptrdiff_t>(i * ds::data::shape_factors);
    std::copy_n(from, ds::data::shape_factors, values[i].begin());
    values[i][wish.factor] = wish.level;
  }
  ds::data::ShapePictures const shapes{{.side = studio.data->side(), .channels = studio.data->channels()}};
  return images_of(*studio.context, shapes.render_all(values));
}

/// Edits "as drawn", and "with noise" of 30 dB on both pictures, such as a decoder leaves. `test` are
/// subjects of any code: only pictures and levels are read. The data set must draw pairs.
[[nodiscard]] inline MethodEdits oracle_edits(Studio const& studio, Subjects const& test) {
  constexpr double deviation = 0.0632;  // a mean square of 1e-3 on [0, 1], where pictures are on [-1, 1]
  MethodEdits results{.method = "oracle", .wishes = {}};
  for (Wish const& wish : studio.wishes()) {
    Subjects const subjects = without(studio, test, wish);
    auto const after = drawn_again(studio, subjects, wish);
    auto const edit = [&](char const* direction, ds::Tensor<B> const& from, ds::Tensor<B> const& to) {
      ds::Index const shown = std::min(studio.settings.shown, subjects.count());
      return Manipulation{.direction = direction,
                          .strength = 1,
                          .effect = studio.effect(studio.judge.predict(from), to, wish),
                          .moved = ds::eval::mean_squared_error(brightness(from), brightness(to)),
                          .before = from.samples(0, shown),
                          .after = to.samples(0, shown)};
    };
    auto const noisy = [&](ds::Tensor<B> const& pictures, std::uint32_t stream) {
      return ds::ops::linear_combination(1, pictures, deviation,
                                         studio.noise(pictures.shape().samples(), stream));
    };
    results.wishes.push_back({.wish = wish,
                              .edits = {edit("as drawn", subjects.images, after),
                                        edit("with noise", noisy(subjects.images, 63), noisy(after, 64))}});
  }
  return results;
}

}  // namespace experiments
