// The thesis in figures: is each factor found in the subset of z whose time-steps take it away?
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include <diffsiam/data/shapes.hpp>
#include <diffsiam/diffusion/attribute_loss.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/eval/spearman.hpp>
#include <diffsiam/eval/subset_factor_map.hpp>
#include <diffsiam/model/measured_err.hpp>
#include <diffsiam/model/timestep_losses.hpp>

#include <experiments/learner.hpp>
#include <experiments/method_measures.hpp>

namespace experiments {

/// An attribute counts as lost where the ideal denoiser mistakes a quarter of the pairs.
inline constexpr double lost_degree = 0.25;

/// Pictures that differ in one factor alone: `first` are the same for every factor.
struct FactorPairs {
  ds::data::Dataset first;
  std::vector<ds::data::Dataset> second;  ///< of each factor

  FactorPairs(ds::Index count, ds::Rng const& rng) {
    ds::data::ShapePictures const shapes{{.side = 32, .channels = 3}};
    std::vector<ds::data::ShapeValues> from(static_cast<std::size_t>(count)), to(from.size());
    for (std::size_t f = 0; f < ds::data::shape_factors; ++f) {
      for (std::size_t i = 0; i < from.size(); ++i)
        std::tie(from[i], to[i]) =
            ds::data::ShapePictures::pair(static_cast<ds::data::ShapeFactor>(f), rng, i);
      second.push_back(shapes.render_all(to));
    }
    first = shapes.render_all(from);
  }

  /// L2 distances of the pairs of a factor.
  [[nodiscard]] std::vector<double> distances(std::size_t factor) const {
    auto const a = first.units(), b = second[factor].units();
    auto const size = static_cast<std::size_t>(first.image_size());
    std::vector<double> result;
    for (std::size_t i = 0; i < a.size(); i += size)
      result.push_back(
          std::sqrt(static_cast<double>(size) * ds::eval::mean_squared_error(std::span{a}.subspan(i, size),
                                                                             std::span{b}.subspan(i, size))));
    return result;
  }
};

/// The time-step at which each factor of the shapes is lost by theory: the first at which Err, averaged over
/// pairs that differ in this factor alone, reaches the degree.
[[nodiscard]] inline std::vector<double> lost_steps(ds::NoiseSchedule const& schedule) {
  FactorPairs const pairs{1000, {.seed = 0, .stream = 4}};
  std::vector<double> steps;
  for (std::size_t f = 0; f < pairs.second.size(); ++f)
    steps.push_back(
        ds::diffusion::lost_at(schedule, pairs.distances(f), lost_degree).value_or(schedule.timesteps() - 1));
  return steps;
}

/// Time-steps at which losses and errors are looked at.
[[nodiscard]] inline std::vector<int> looked_at_steps(int timesteps) {
  std::vector<int> steps;
  for (int t = timesteps / 40; t < timesteps; t += timesteps / 20) steps.push_back(t);
  return steps;
}

/// The first of the steps at which a curve reaches `level`, by linear interpolation; the last one where it
/// does not.
[[nodiscard]] inline double first_reaching(std::vector<int> const& steps, std::vector<double> const& curve,
                                           double level) {
  if (curve.front() >= level) return steps.front();
  for (std::size_t i = 1; i < curve.size(); ++i)
    if (curve[i] >= level)
      return steps[i - 1] + (steps[i] - steps[i - 1]) * (level - curve[i - 1]) / (curve[i] - curve[i - 1]);
  return steps.back();
}

/// The mean of |a - b|.
[[nodiscard]] inline double mean_distance(std::vector<double> const& a, std::vector<double> const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

/// The share of each dim's variance that the levels of a factor explain, in [0, 1]: (dims).
[[nodiscard]] inline std::vector<double> explained_shares(ds::eval::Features const& z,
                                                          std::vector<int> const& levels, int level_count) {
  auto const n = static_cast<double>(z.count);
  std::vector<double> shares;
  for (ds::Index j = 0; j < z.dims; ++j) {
    std::vector<double> sums(static_cast<std::size_t>(level_count)), counts(sums);
    double sum = 0, squares = 0;
    for (ds::Index i = 0; i < z.count; ++i) {
      double const value = static_cast<double>(z.row(i)[j]);
      auto const level = static_cast<std::size_t>(levels[static_cast<std::size_t>(i)]);
      sums[level] += value;
      counts[level] += 1;
      sum += value;
      squares += value * value;
    }
    double between = -sum * sum / n;
    for (std::size_t l = 0; l < sums.size(); ++l)
      if (counts[l] > 0) between += sums[l] * sums[l] / counts[l];
    double const all = squares - sum * sum / n;
    shares.push_back(all > 0 ? between / all : 0);
  }
  return shares;
}

/// Where a factor is lost by what is said of each dim of z: the mean of the dims' steps, each weighted by the
/// share of its variance that the factor explains; the last step if it explains none. Needs no subsets.
inline void measure_dim_steps(MeasureList& list, FeatureSet const& z, std::vector<double> const& dim_steps,
                              FactorTable const& factors) {
  std::vector<double> said;
  for (std::size_t f = 0; f < factors.factors(); ++f) {
    auto const shares =
        explained_shares(features_of(z.test, z.dims), factors.column(factors.test, f), factors.levels[f]);
    double sum = 0, total = 0;
    for (std::size_t j = 0; j < dim_steps.size(); ++j) sum += shares[j] * dim_steps[j], total += shares[j];
    said.push_back(total > 0 ? sum / total : ds::NoiseSchedule::linear().timesteps());
    list.add("said_lost_at." + factors.names[f], said.back());
  }
  std::vector<double> const lost = lost_steps(ds::NoiseSchedule::linear());
  list.add("said_order_correlation", ds::eval::spearman_r(lost, said));
  list.add("said_step_error", mean_distance(lost, said));
}

/// The same as the trained denoiser has it: where it mistakes a quarter of the pairs.
inline void measure_lost_steps(MeasureList& list, B::Context& context, ds::UNet<B> const& denoiser,
                               FactorTable const& factors, ds::Index count) {
  auto const schedule = ds::NoiseSchedule::linear();
  FactorPairs const pairs{count, {.seed = 0, .stream = 5}};
  auto const steps = looked_at_steps(schedule.timesteps());
  auto const x_0 = images_of(context, pairs.first);
  ds::diffusion::PlainNoise const predict{denoiser, schedule};
  std::vector<double> lost;
  for (std::size_t f = 0; f < pairs.second.size(); ++f) {
    auto const y_0 = images_of(context, pairs.second[f]);
    std::vector<double> curve;
    for (auto const& at : ds::model::measured_err(schedule, predict, x_0, y_0, steps, {.draws = 1}))
      curve.push_back(at.measured);
    lost.push_back(first_reaching(steps, curve, lost_degree));
    list.add("lost_at_measured." + factors.names[f], lost.back());
  }
  list.add("lost_order_correlation", ds::eval::spearman_r(lost_steps(schedule), lost));
}

/// The step from which on the decoder relies on z for a factor: where the loss, when z is that of a picture
/// that differs in this factor alone, has risen by half of what it rises by at the most.
inline void measure_use(MeasureList& list, B::Context& context, ds::DiffSiam<B> const& model,
                        FactorTable const& factors, ds::Index count) {
  FactorPairs const pairs{count, {.seed = 0, .stream = 6}};
  auto const steps = looked_at_steps(model.schedule().timesteps());
  auto const x_0 = images_of(context, pairs.first);
  auto const losses = [&](ds::Tensor<B> const& pictures) {
    return ds::model::timestep_losses(model, x_0, model.encode(pictures), steps, {.rng = {.seed = 7}});
  };
  auto const right = losses(x_0);
  std::vector<double> used;
  for (std::size_t f = 0; f < pairs.second.size(); ++f) {
    auto const wrong = losses(images_of(context, pairs.second[f]));
    std::vector<double> rise;
    for (std::size_t i = 0; i < steps.size(); ++i)
      rise.push_back(ds::diffusion::SnrPower{}(model.schedule(), steps[i]) *
                     (wrong[i].shifted - right[i].shifted));
    used.push_back(first_reaching(steps, rise, *std::max_element(rise.begin(), rise.end()) / 2));
    list.add("used_at." + factors.names[f], used.back());
  }
  std::vector<double> const lost = lost_steps(model.schedule());
  list.add("use_order_correlation", ds::eval::spearman_r(lost, used));
  list.add("used_step_error", mean_distance(lost, used));
  double with_z = 0, without = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    double const weight =
        ds::diffusion::SnrPower{}(model.schedule(), steps[i]) / static_cast<double>(steps.size());
    with_z += weight * right[i].shifted;
    without += weight * right[i].denoiser;
  }
  list.add("diffusion_loss", with_z);
  list.add("diffusion_loss_without_z", without);
}

/// The map of subsets by factors on test pictures, where each factor is found, and, where theory has a say,
/// the rank correlation with where it is lost.
inline void measure_order(MeasureList& list, FeatureSet const& z, ds::TimestepPartition const& partition,
                          ExperimentData const& data, ds::ThreadPool& threads) {
  namespace eval = ds::eval;
  FactorTable const& factors = data.factors;
  auto const map = eval::subset_factor_map(factored(z.train, z.dims, factors.train, factors),
                                           factored(z.test, z.dims, factors.test, factors),
                                           eval::subset_groups(partition), &threads);
  std::vector<double> const centres = eval::subset_centres(partition);
  std::vector<double> found(factors.factors());
  for (std::size_t f = 0; f < factors.factors(); ++f) {
    auto const of_factor = static_cast<ds::Index>(f);
    for (std::size_t i = 0; i < centres.size(); ++i) {
      std::string const at = std::to_string(i) + "." + factors.names[f];
      list.add("alone." + at, map.alone_of(of_factor)[i]);
      list.add("prefix." + at, map.prefix_of(of_factor)[i]);
    }
    auto const step = eval::found_step(map.prefix_of(of_factor), centres);
    found[f] = step ? step->mean : partition.timesteps();
    list.add("found_at." + factors.names[f], found[f]);
  }
  if (!data.set->draws_pairs) return;
  std::vector<double> const lost = lost_steps(ds::NoiseSchedule::linear());
  for (std::size_t f = 0; f < lost.size(); ++f) list.add("lost_at." + factors.names[f], lost[f]);
  list.add("order_correlation", eval::spearman_r(lost, found));
  list.add("found_step_error", mean_distance(lost, found));
}

}  // namespace experiments
