// The thesis in figures: is each factor found in the subset of z whose time-steps take it away?
#pragma once

#include <array>
#include <string>
#include <vector>

#include <diffsiam/data/shapes.hpp>
#include <diffsiam/diffusion/attribute_loss.hpp>
#include <diffsiam/eval/spearman.hpp>
#include <diffsiam/eval/subset_factor_map.hpp>

#include "measure.hpp"

namespace example {

/// An attribute counts as lost where the ideal denoiser mistakes a quarter of the pairs.
inline constexpr double lost_degree = 0.25;

/// The time-step at which each factor of the shapes is lost: the first at which Err, averaged over pairs that
/// differ in this factor alone, reaches the degree.
[[nodiscard]] inline std::vector<double> lost_steps(ds::NoiseSchedule const& schedule) {
  constexpr std::uint64_t pairs = 2000;
  ds::data::ShapePictures const shapes{{.side = 32, .channels = 3}};
  auto const size = static_cast<std::size_t>(shapes.image_size());
  std::vector<std::uint8_t> first(size), second(size);
  std::vector<double> steps;
  for (std::size_t f = 0; f < ds::data::shape_factors; ++f) {
    std::vector<double> distances;
    for (std::uint64_t i = 0; i < pairs; ++i) {
      auto const [a, b] =
          ds::data::ShapePictures::pair(static_cast<ds::data::ShapeFactor>(f), {.seed = 0, .stream = 4}, i);
      shapes.render(a, first);
      shapes.render(b, second);
      double square = 0;
      for (std::size_t p = 0; p < size; ++p) {
        double const gap = (first[p] - second[p]) / 127.5;  // of values in [-1, 1]
        square += gap * gap;
      }
      distances.push_back(std::sqrt(square));
    }
    steps.push_back(
        ds::diffusion::lost_at(schedule, distances, lost_degree).value_or(schedule.timesteps() - 1));
  }
  return steps;
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
  if (data.name != "shapes") return;
  std::vector<double> const lost = lost_steps(ds::NoiseSchedule::linear());
  for (std::size_t f = 0; f < lost.size(); ++f) list.add("lost_at." + factors.names[f], lost[f]);
  list.add("order_correlation", eval::spearman_r(lost, found));
}

}  // namespace example
