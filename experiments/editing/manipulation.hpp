// Manipulations: z moved along the direction in which a linear classifier finds a level of a factor,
//   z' = restore(standardise(z) + strength sqrt(d) w / |w|),
// by all dims or by the few that a learned mask lets through; or by what parts the mean z of two levels,
//   z' = z + strength (mean[wanted] - mean[own]).
// A clean edit reaches the level and leaves the other factors alone.
#pragma once

#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/eval/level_moments.hpp>
#include <diffsiam/eval/masked_classifier.hpp>
#include <diffsiam/io/progress_line.hpp>
#include <diffsiam/model/counterfactual.hpp>
#include <diffsiam/model/latent_standardisation.hpp>

#include <experiments/editing/edit_table.hpp>
#include <experiments/editing/reconstruction.hpp>
#include <experiments/editing/studio.hpp>
#include <experiments/method_measures.hpp>

namespace experiments {

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

/// Pictures with z moved towards a level; x_T stays.
[[nodiscard]] inline ds::Tensor<B> moved_towards(Studio const& studio, TrainedMethod const& method,
                                                 Subjects const& subjects,
                                                 ds::eval::LinearClassifier const& classifier, int level,
                                                 double strength) {
  ds::model::LatentStandardisation<B> const space{*studio.context, classifier.standardiser().mean(),
                                                  classifier.standardiser().scale()};
  auto const direction = classifier.direction(level);
  // Where z does not tell the factor, the best reader reads nothing: no way to go.
  if (std::all_of(direction.begin(), direction.end(), [](float w) { return w == 0; }))
    return subjects.rebuilt;
  auto const z =
      ds::model::manipulate(space.standardised(subjects.z), std::span<float const>{direction}, strength);
  return method.decode(studio, subjects.x_T, space.restored(z));
}

/// Pictures with z moved from the level that the classifier reads in it to another; x_T stays. Where factors
/// vary independently all others are alike in both means, so that the step between them holds this one alone;
/// w, made to tell levels apart, may lean on other things too. `level_shifts` (dims, levels) are those of
/// LevelMoments.
[[nodiscard]] inline ds::Tensor<B> moved_between(Studio const& studio, TrainedMethod const& method,
                                                 Subjects const& subjects,
                                                 ds::eval::LinearClassifier const& classifier,
                                                 Eigen::MatrixXd const& level_shifts, int level,
                                                 double strength) {
  std::vector<float> steps = subjects.z.values();
  ds::Index const dims = level_shifts.rows();
  auto const own = classifier.predict(features_of(steps, dims), &studio.context->threads());
  for (std::size_t i = 0; i < own.size(); ++i)
    Eigen::Map<Eigen::VectorXf>(steps.data() + static_cast<ds::Index>(i) * dims, dims) =
        (level_shifts.col(level) - level_shifts.col(own[i])).cast<float>();
  auto const step = ds::Tensor<B>::from(*studio.context, subjects.z.shape(), std::span<float const>{steps});
  return method.decode(studio, subjects.x_T, ds::ops::linear_combination(1, subjects.z, strength, step));
}

/// One edit of `test` by edit(subjects, strength), its strength the least by which at least half of
/// `validation` reach the level, or the greatest there is.
template <class Edit>
[[nodiscard]] Manipulation manipulate(Studio const& studio, Wish const& wish, std::string direction,
                                      Subjects const& validation, Subjects const& test, Edit const& edit) {
  constexpr std::array<double, 4> strengths{0.25, 0.5, 1, 2};
  Manipulation result{.direction = std::move(direction)};
  auto const effect_on = [&](Subjects const& subjects, ds::Tensor<B> const& edited) {
    std::vector<int> const wanted(static_cast<std::size_t>(subjects.count()), wish.level);
    return studio.effect(subjects.seen, edited, wish.factor, wanted);
  };
  for (double const strength : strengths) {
    result.strength = strength;
    if (effect_on(validation, edit(validation, strength)).reached >= 0.5) break;
  }
  auto const edited = edit(test, result.strength);
  result.effect = effect_on(test, edited);
  result.moved = ds::eval::mean_squared_error(brightness(test.rebuilt), brightness(edited));
  ds::Index const shown = std::min(studio.settings.shown, test.count());
  result.before = test.rebuilt.samples(0, shown);
  result.after = edited.samples(0, shown);
  return result;
}

/// Every wish by all dims, by a learned mask, and by level means. `z` of training and validation pictures.
[[nodiscard]] inline MethodEdits manipulations(Studio const& studio, TrainedMethod const& method,
                                               FeatureSet const& z, Subjects const& validation,
                                               Subjects const& test) {
  FactorTable const& factors = studio.factors();
  ds::ThreadPool& threads = studio.context->threads();
  auto const wishes = studio.data->set->wishes;
  ds::io::ProgressLine progress{std::cout,
                                {.total = static_cast<std::int64_t>(wishes.size()),
                                 .label = "manipulation, " + method.name,
                                 .unit = "wishes"}};
  MethodEdits results{.method = method.name};
  auto known_factors = factors.train;
  known_factors.resize(z.train.size() / static_cast<std::size_t>(z.dims) * factors.factors());
  auto const moments =
      ds::eval::LevelMoments::of(factored(z.train, z.dims, known_factors, factors), &threads);
  for (Wish const& wish : wishes) {
    auto levels = factors.column(factors.train, wish.factor);
    levels.resize(z.train.size() / static_cast<std::size_t>(z.dims));
    auto const held_out = factors.column(factors.validation, wish.factor);
    ds::eval::Labelled const known{features_of(z.train, z.dims), levels},
        unseen{features_of(z.validation, z.dims), held_out};
    int const classes = factors.levels[wish.factor];
    auto const& level_shifts = moments.factors[wish.factor].shift;
    if (level_shifts.cols() < classes)
      ds::fail<ds::ConfigError>("--known",
                                {"pictures of all ", classes, " levels of ", factors.names[wish.factor]},
                                {"none of the last one among ", levels.size()}, "take more of them");
    Subjects const choosing = without(studio, validation, wish), edited = without(studio, test, wish);
    auto const reader_of = [&](ds::Index kept) {
      return ds::eval::masked_classifier(known, unseen, {.kept = kept}, {.classes = classes}, &threads)
          .classifier;
    };
    auto const along = [&](std::string direction, ds::eval::LinearClassifier const& reader) {
      return manipulate(studio, wish, std::move(direction), choosing, edited,
                        [&](Subjects const& subjects, double strength) {
                          return moved_towards(studio, method, subjects, reader, wish.level, strength);
                        });
    };
    auto const reader = reader_of(z.dims);
    ds::Index const kept = studio.settings.kept;
    results.wishes.push_back(
        {.wish = wish,
         .all_dims = along("all dims", reader),
         .masked = along(std::to_string(kept) + " dims", reader_of(kept)),
         .level_means = manipulate(
             studio, wish, "level means", choosing, edited, [&](Subjects const& subjects, double strength) {
               return moved_between(studio, method, subjects, reader, level_shifts, wish.level, strength);
             })});
    progress(static_cast<std::int64_t>(results.wishes.size()));
  }
  return results;
}

/// Pictures (n, h, w, c) and white ones up to `columns`: fewer pictures may lack a level than fill a row.
inline void add_row(std::vector<ds::io::Picture>& cells, ds::Tensor<B> const& pictures, ds::Index columns) {
  auto row = pictures_of(pictures);
  auto const& first = row.front();
  auto const white = ds::io::blank_picture(first.height, first.width, first.channels, 255);
  row.resize(static_cast<std::size_t>(columns), white);
  cells.insert(cells.end(), row.begin(), row.end());
}

inline void show_manipulations(ds::report::HtmlReport& report, Studio const& studio,
                               std::vector<MethodEdits> const& results) {
  auto& section = report.section("5 Manipulations");
  ds::report::Table table{
      .header = {"z of", "wish", "direction", "strength", "reached %", "target changed %",
                 "others changed, sum of %", "ratio", "picture MSE"},
      .rows = {},
      .caption =
          "Of test pictures that have another level. The strength is the least of a few by which half "
          "of the validation pictures reach the level, or else the greatest."};
  ds::Index columns = 1;
  for (MethodEdits const& of_method : results)
    for (WishEdits const& of : of_method.wishes) {
      columns = std::max(columns, of.all_dims.before.shape().samples());
      for (Manipulation const* const m : of.directions())
        table.rows.push_back({of_method.method, name_of(studio.factors(), of.wish), m->direction,
                              figure(m->strength, 2), percent(m->effect.reached), percent(m->effect.target),
                              percent(m->effect.others), figure(m->effect.ratio, 2), figure(m->moved, 4)});
    }
  section.table(table);
  for (MethodEdits const& of_method : results) {
    std::vector<ds::io::Picture> cells;
    for (WishEdits const& of : of_method.wishes) {
      add_row(cells, of.all_dims.before, columns);
      for (Manipulation const* const m : of.directions()) add_row(cells, m->after, columns);
    }
    show(section, studio.folder, "manipulations_" + of_method.method,
         ds::io::grid(cells, static_cast<int>(columns), 2),
         of_method.method +
             ", four rows a wish, in the order of the table: before; by all dims; by the mask's; by level "
             "means.");
  }
}

}  // namespace experiments
