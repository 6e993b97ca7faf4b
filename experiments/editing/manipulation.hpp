// Manipulations: z moved along the direction in which a linear classifier finds a level of a factor,
//   z' = restore(standardise(z) + strength sqrt(d) w / |w|),
// by all dims or by the few that a learned mask lets through; or by what parts the mean z of two levels,
//   z' = z + strength (mean[wanted] - mean[own]),
// in all columns or in one segment of the subsets. A clean edit reaches the level and leaves the other
// factors alone. Where pictures can be drawn again with the level, the z of that picture is tried, too: it is
// the z that a perfect edit would find, and shows what the decoder makes of it.
#pragma once

#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <diffsiam/eval/level_moments.hpp>
#include <diffsiam/eval/masked_classifier.hpp>
#include <diffsiam/io/progress_line.hpp>
#include <diffsiam/model/counterfactual.hpp>
#include <diffsiam/model/latent_standardisation.hpp>

#include <experiments/editing/oracle.hpp>
#include <experiments/editing/segments.hpp>
#include <experiments/editing/subjects.hpp>
#include <experiments/method_measures.hpp>

namespace experiments {

/// Pictures with z moved towards a level; the rest stays.
[[nodiscard]] inline ds::Tensor<B> moved_towards(Studio const& studio, EditableCode const& code,
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
  return code.decode(subjects.rest, space.restored(z));
}

/// Pictures with some columns of z moved from the level that the classifier reads in it to another; the rest
/// stays. Where factors vary independently all others are alike in both means, so that the step between them
/// holds this one alone; w, made to tell levels apart, may lean on other things too. `level_shifts` (dims,
/// levels) are those of LevelMoments.
[[nodiscard]] inline ds::Tensor<B> moved_between(Studio const& studio, EditableCode const& code,
                                                 Subjects const& subjects,
                                                 ds::eval::LinearClassifier const& classifier,
                                                 Eigen::MatrixXd const& level_shifts,
                                                 ds::encoder::Dims columns, int level, double strength) {
  std::vector<float> steps = subjects.z.values();
  ds::Index const dims = level_shifts.rows();
  auto const own = classifier.predict(features_of(steps, dims), &studio.context->threads());
  std::fill(steps.begin(), steps.end(), 0.0F);
  for (std::size_t i = 0; i < own.size(); ++i)
    Eigen::Map<Eigen::VectorXf>(steps.data() + static_cast<ds::Index>(i) * dims, dims)
        .segment(columns.begin, columns.size()) = (level_shifts.col(level) - level_shifts.col(own[i]))
                                                      .segment(columns.begin, columns.size())
                                                      .cast<float>();
  auto const step = ds::Tensor<B>::from(*studio.context, subjects.z.shape(), std::span<float const>{steps});
  return code.decode(subjects.rest, ds::ops::linear_combination(1, subjects.z, strength, step));
}

/// How strong an edit must be, and what it does then.
struct StrengthTrial {
  double strength = 0;
  ds::eval::EditEffect effect{};

  [[nodiscard]] bool reaches() const { return effect.reached >= 0.5; }
};

/// The least strength by which edit(subjects, strength) brings at least half of `validation` to the level, or
/// the greatest there is.
template <class Edit>
[[nodiscard]] StrengthTrial least_strength(Studio const& studio, Wish const& wish, Subjects const& validation,
                                           Edit const& edit) {
  constexpr std::array<double, 4> strengths{0.25, 0.5, 1, 2};
  StrengthTrial trial;
  for (double const strength : strengths) {
    trial = {strength, studio.effect(validation.seen, edit(validation, strength), wish)};
    if (trial.reaches()) break;
  }
  return trial;
}

/// The edit of `test` with a strength that was chosen on validation pictures.
template <class Edit>
[[nodiscard]] Manipulation manipulate(Studio const& studio, Wish const& wish, std::string direction,
                                      double strength, Subjects const& test, Edit const& edit) {
  auto const edited = edit(test, strength);
  ds::Index const shown = std::min(studio.settings.shown, test.count());
  return {.direction = std::move(direction),
          .strength = strength,
          .effect = studio.effect(test.seen, edited, wish),
          .moved = ds::eval::mean_squared_error(brightness(test.rebuilt), brightness(edited)),
          .before = test.rebuilt.samples(0, shown),
          .after = edited.samples(0, shown)};
}

/// One wish by all dims, by a learned mask, by level means, by those in the segment of subsets that does best
/// on validation pictures (of the segments that reach the level in half of them the cleanest one, else the
/// one that reaches it most), and by the z of the picture drawn again, where there is one.
class WishTrial {
 public:
  WishTrial(Studio const& studio, EditableCode const& code, FeatureSet const& z,
            ds::eval::LevelMoments const& moments, Wish const& wish, Subjects const& validation,
            Subjects const& test)
      : studio_(studio), code_(code), z_(z), wish_(wish) {
    FactorTable const& factors = studio.factors();
    levels_ = factors.column(factors.train, wish.factor);
    levels_.resize(z.train.size() / static_cast<std::size_t>(z.dims));
    held_out_ = factors.column(factors.validation, wish.factor);
    held_out_.resize(z.validation.size() / static_cast<std::size_t>(z.dims));
    classes_ = factors.levels[wish.factor];
    level_shifts_ = moments.factors[wish.factor].shift;
    if (level_shifts_.cols() < classes_)
      ds::fail<ds::ConfigError>("--known",
                                {"pictures of all ", classes_, " levels of ", factors.names[wish.factor]},
                                {"none of the last one among ", levels_.size()}, "take more of them");
    validation_ = without(studio, validation, wish);
    test_ = without(studio, test, wish);
  }

  [[nodiscard]] WishEdits operator()() const {
    auto const reader = reader_of(z_.dims);
    ds::Index const kept = studio_.settings.kept;
    ds::encoder::Dims const all{0, static_cast<int>(z_.dims)};
    auto const [segment, strength] = best_segment(reader);
    WishEdits result{
        .wish = wish_,
        .edits = {along("all dims", reader), along(std::to_string(kept) + " dims", reader_of(kept)),
                  between("level means", reader, all, trial_between(reader, all).strength),
                  between("level means, a segment", reader, columns_of(segment), strength)}};
    result.edits.back().part = name_of(studio_.partition, segment);
    if (studio_.data->set->draws_pairs)
      result.edits.push_back(
          manipulate(studio_, wish_, "z drawn again", 1, test_, [this](Subjects const& subjects, double) {
            return code_.decode(subjects.rest, code_.encode(drawn_again(studio_, subjects, wish_)));
          }));
    return result;
  }

 private:
  [[nodiscard]] ds::eval::LinearClassifier reader_of(ds::Index kept) const {
    ds::eval::Labelled const known{features_of(z_.train, z_.dims), levels_},
        unseen{features_of(z_.validation, z_.dims), held_out_};
    return ds::eval::masked_classifier(known, unseen, {.kept = kept}, {.classes = classes_},
                                       &studio_.context->threads())
        .classifier;
  }
  [[nodiscard]] ds::encoder::Dims columns_of(ds::model::SubsetRange const& range) const {
    return {studio_.partition.begin(range.first), studio_.partition.end(range.last - 1)};
  }

  [[nodiscard]] Manipulation along(std::string direction, ds::eval::LinearClassifier const& reader) const {
    auto const edit = [&](Subjects const& subjects, double strength) {
      return moved_towards(studio_, code_, subjects, reader, wish_.level, strength);
    };
    double const strength = least_strength(studio_, wish_, validation_, edit).strength;
    return manipulate(studio_, wish_, std::move(direction), strength, test_, edit);
  }

  [[nodiscard]] auto edit_between(ds::eval::LinearClassifier const& reader, ds::encoder::Dims columns) const {
    return [this, &reader, columns](Subjects const& subjects, double strength) {
      return moved_between(studio_, code_, subjects, reader, level_shifts_, columns, wish_.level, strength);
    };
  }
  [[nodiscard]] StrengthTrial trial_between(ds::eval::LinearClassifier const& reader,
                                            ds::encoder::Dims columns) const {
    return least_strength(studio_, wish_, validation_, edit_between(reader, columns));
  }
  [[nodiscard]] Manipulation between(std::string direction, ds::eval::LinearClassifier const& reader,
                                     ds::encoder::Dims columns, double strength) const {
    return manipulate(studio_, wish_, std::move(direction), strength, test_, edit_between(reader, columns));
  }

  /// And the strength that it needs.
  [[nodiscard]] std::pair<ds::model::SubsetRange, double> best_segment(
      ds::eval::LinearClassifier const& reader) const {
    std::pair<ds::model::SubsetRange, double> best{};
    std::tuple<bool, double> greatest{false, -1};
    for (auto const& range : segments_of(studio_)) {
      auto const trial = trial_between(reader, columns_of(range));
      std::tuple const value{trial.reaches(), trial.reaches() ? trial.effect.share : trial.effect.reached};
      if (value > greatest) greatest = value, best = {range, trial.strength};
    }
    return best;
  }

  Studio const& studio_;
  EditableCode const& code_;
  FeatureSet const& z_;
  Wish wish_;
  std::vector<int> levels_{}, held_out_{};  ///< of the wish's factor
  int classes_ = 0;
  Eigen::MatrixXd level_shifts_{};
  Subjects validation_{}, test_{};  ///< those that do not have the level yet
};

/// Every wish for a factor that the judge reads. `z` of training and validation pictures.
[[nodiscard]] inline MethodEdits manipulations(Studio const& studio, EditableCode const& code,
                                               FeatureSet const& z, Subjects const& validation,
                                               Subjects const& test) {
  FactorTable const& factors = studio.factors();
  auto const wishes = studio.wishes();
  ds::io::ProgressLine progress{std::cout,
                                {.total = static_cast<std::int64_t>(wishes.size()),
                                 .label = "manipulation, " + code.name,
                                 .unit = "wishes"}};
  MethodEdits results{.method = code.name, .wishes = {}};
  auto known_factors = factors.train;
  known_factors.resize(z.train.size() / static_cast<std::size_t>(z.dims) * factors.factors());
  auto const moments = ds::eval::LevelMoments::of(factored(z.train, z.dims, known_factors, factors),
                                                  &studio.context->threads());
  for (Wish const& wish : wishes) {
    results.wishes.push_back(WishTrial{studio, code, z, moments, wish, validation, test}());
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

/// Means over wishes, and each as a part of the oracle's.
inline void show_means(ds::report::ReportSection& section, std::vector<MethodEdits> const& results,
                       MeanEffect const* oracle) {
  ds::report::Table table{
      .header = {"z of", "direction", "reached %", "target changed %", "others changed, sum of %", "ratio",
                 "ratio / oracle's"},
      .rows = {},
      .caption =
          "Means over the wishes. The oracle draws the pictures again with the level that is asked for; "
          "ratios are divided by the one that it has with noise."};
  for (MethodEdits const& of_method : results)
    for (MeanEffect const& mean : means_of(of_method))
      table.rows.push_back({of_method.method, mean.direction, percent(mean.reached), percent(mean.target),
                            percent(mean.others), figure(mean.ratio(), 2),
                            oracle != nullptr ? figure(mean.ratio() / oracle->ratio(), 2) : "–"});
  section.table(table);
}

inline void show_manipulations(ds::report::HtmlReport& report, Studio const& studio,
                               std::vector<MethodEdits> const& results, MeanEffect const* oracle) {
  auto& section = report.section("5 Manipulations");
  std::string read;
  for (std::size_t const f : studio.readable_factors())
    read += (read.empty() ? "" : ", ") + studio.factors().names[f];
  section.text(
      "Judged by the factors that the judge reads in at least " + percent(studio.settings.least_accuracy) +
      " % of the test pictures: " + (read.empty() ? "none, so that nothing was edited." : read + "."));
  if (read.empty()) return;
  show_means(section, results, oracle);
  ds::report::Table table{
      .header = {"z of", "wish", "direction", "part of z", "strength", "reached %", "target changed %",
                 "others changed, sum of %", "ratio", "picture MSE"},
      .rows = {},
      .caption =
          "Of test pictures that have another level. The strength is the least of a few by which half "
          "of the validation pictures reach the level, or else the greatest."};
  ds::Index columns = 1;
  for (MethodEdits const& of_method : results)
    for (WishEdits const& of : of_method.wishes)
      for (Manipulation const& m : of.edits) {
        columns = std::max(columns, m.before.shape().samples());
        table.rows.push_back({of_method.method, name_of(studio.factors(), of.wish), m.direction, m.part,
                              figure(m.strength, 2), percent(m.effect.reached), percent(m.effect.target),
                              percent(m.effect.others), figure(m.effect.ratio, 2), figure(m.moved, 4)});
      }
  section.table(table);
  for (MethodEdits const& of_method : results) {
    std::vector<ds::io::Picture> cells;
    for (WishEdits const& of : of_method.wishes) {
      add_row(cells, of.edits.front().before, columns);
      for (Manipulation const& m : of.edits) add_row(cells, m.after, columns);
    }
    std::string directions;
    for (MeanEffect const& mean : means_of(of_method)) directions += "; " + mean.direction;
    show(section, studio.folder, "manipulations_" + of_method.method,
         ds::io::grid(cells, static_cast<int>(columns), 2),
         of_method.method + ", a block of rows for each wish: before" + directions + ".");
  }
}

}  // namespace experiments
