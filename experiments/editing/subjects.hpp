// The pictures that are edited: what a code makes of them, and what they show.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <experiments/editing/edit_table.hpp>
#include <experiments/editing/editable_code.hpp>

namespace experiments {

/// Pictures, what a code makes of them, and what they show.
struct Subjects {
  ds::Tensor<B> images, z, rest;
  ds::Tensor<B> rebuilt;    ///< from both: the unedited picture
  std::vector<int> levels;  ///< true ones of all factors, row by row
  std::vector<int> seen;    ///< those that the judge sees in `rebuilt`

  [[nodiscard]] ds::Index count() const { return images.shape().samples(); }
};

[[nodiscard]] inline Subjects subjects_of(Studio const& studio, EditableCode const& code,
                                          ds::data::Dataset const& pictures, std::vector<int> const& levels,
                                          ds::Index count) {
  auto const part = pictures.slice(0, std::min(count, pictures.size()));
  auto const images = images_of(*studio.context, part);
  auto const z = code.encode(images);
  auto const rest = code.rest_of(images, z);
  auto const rebuilt = code.decode(rest, z);
  auto const values = part.size() * static_cast<ds::Index>(studio.factors().factors());
  return {images, z, rest, rebuilt, {levels.begin(), levels.begin() + values}, studio.judge.predict(rebuilt)};
}

/// The chosen subjects, in that order.
[[nodiscard]] inline Subjects some_of(Subjects const& all, std::span<ds::Index const> chosen) {
  Subjects result{rows(all.images, chosen),
                  rows(all.z, chosen),
                  rows(all.rest, chosen),
                  rows(all.rebuilt, chosen),
                  {},
                  {}};
  auto const width = static_cast<ds::Index>(all.levels.size()) / all.count();
  for (ds::Index const i : chosen) {
    auto const from = i * width, to = (i + 1) * width;
    result.levels.insert(result.levels.end(), all.levels.begin() + from, all.levels.begin() + to);
    result.seen.insert(result.seen.end(), all.seen.begin() + from, all.seen.begin() + to);
  }
  return result;
}
/// `count` subjects, each the one behind itself in `all`, the first behind the last: another picture for
/// each.
[[nodiscard]] inline Subjects partners_of(Subjects const& all, ds::Index count) {
  std::vector<ds::Index> chosen;
  for (ds::Index i = 0; i < count; ++i) chosen.push_back((i + 1) % all.count());
  return some_of(all, chosen);
}
[[nodiscard]] inline Subjects first_of(Subjects const& all, ds::Index count) {
  std::vector<ds::Index> chosen;
  for (ds::Index i = 0; i < std::min(count, all.count()); ++i) chosen.push_back(i);
  return some_of(all, chosen);
}

/// Those that have another level. Throws ConfigError for none.
[[nodiscard]] inline Subjects without(Studio const& studio, Subjects const& all, Wish const& wish) {
  std::vector<ds::Index> chosen;
  for (ds::Index i = 0; i < all.count(); ++i) {
    auto const at = static_cast<std::size_t>(i) * studio.factors().factors() + wish.factor;
    if (all.levels[at] != wish.level) chosen.push_back(i);
  }
  if (chosen.empty())
    ds::fail<ds::ConfigError>("--edited, --chosen-on", {"pictures without ", name_of(studio.factors(), wish)},
                              {"none among ", all.count()}, "take more of them");
  return some_of(all, chosen);
}

}  // namespace experiments
