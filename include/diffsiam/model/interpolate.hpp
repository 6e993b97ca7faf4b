// Interpolation between two pictures, and from one picture towards another for some subsets of z at a time.
// All pictures come from DiffSiam::sample, so the partition holds: an edit of subsets [i, j) acts at
// time-steps of subset i and later ones; at earlier steps the decoder does not see it.
#pragma once

#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/diffusion/ddim.hpp>
#include <diffsiam/model/counterfactual.hpp>
#include <diffsiam/model/guided_noise.hpp>

namespace diffsiam::model {

/// The inputs of a decode: x_T (n, h, w, c) and z (n, dims).
template <class B>
struct Origin {
  Tensor<B> x_T;  ///< (n, h, w, c)
  Tensor<B> z;    ///< (n, dims)
};

/// Subsets [first, last) of a partition.
struct SubsetRange {
  int first = 0;  ///< from 0
  int last = 0;   ///< the one behind the last; at most the number of subsets
};

namespace detail {

inline void require_weight(std::string_view operation, double weight) {
  if (!std::isfinite(weight)) fail<RangeError>(operation, "finite weights", weight);
}

}  // namespace detail

/// From one origin to another: all of z along a line, x_T by slerp. Returns a batch of n pictures for each
/// weight: 0 is the first origin, 1 the other, and beyond these it extrapolates. Throws RangeError for a
/// weight that is not finite, ShapeError for origins that do not fit each other.
template <class Model, class B>
[[nodiscard]] std::vector<Tensor<B>> interpolate(Model const& model, Origin<B> const& from,
                                                 Origin<B> const& to, std::span<double const> weights,
                                                 diffusion::TimeGrid const& grid,
                                                 diffusion::DdimOptions const& options = {},
                                                 Guidance guidance = {}) {
  for (double const weight : weights) detail::require_weight("interpolate", weight);
  auto const& partition = model.partition();
  std::vector<Tensor<B>> pictures;
  for (double const weight : weights) {
    Tensor<B> const z = exchange_subsets(partition, from.z, to.z, 0, partition.subsets(), weight);
    pictures.push_back(model.sample(slerp(from.x_T, to.x_T, weight), z, grid, options, guidance));
  }
  return pictures;
}

/// How far counterfactuals() goes, and how it decodes.
struct CounterfactualOptions {
  double weight = 1;              ///< of the other z: 1 replaces
  double noise_weight = 0;        ///< of the other's x_T, by slerp; 0: x_T stays
  diffusion::DdimOptions ddim{};  ///< of the decode
  Guidance guidance{};            ///< of z on the decode
};

/// What pictures would be with some subsets from another z: for each range a batch of n pictures, with
/// everything else unchanged. `to.x_T` is read only if noise_weight is not 0, and may be empty otherwise.
/// Throws RangeError for a range outside the partition or a weight that is not finite, ShapeError for origins
/// that do not fit each other.
template <class Model, class B>
[[nodiscard]] std::vector<Tensor<B>> counterfactuals(Model const& model, Origin<B> const& from,
                                                     Origin<B> const& to, std::span<SubsetRange const> ranges,
                                                     diffusion::TimeGrid const& grid,
                                                     CounterfactualOptions const& options = {}) {
  detail::require_weight("counterfactuals", options.weight);
  detail::require_weight("counterfactuals", options.noise_weight);
  std::vector<Tensor<B>> edited, pictures;
  // All ranges are checked before the first picture, so that a wrong one costs no time.
  for (SubsetRange const& range : ranges)
    edited.push_back(
        exchange_subsets(model.partition(), from.z, to.z, range.first, range.last, options.weight));
  if (options.noise_weight != 0 && !to.x_T)
    fail<ShapeError>("counterfactuals", "another x_T to go towards", "none");
  Tensor<B> const x_T = options.noise_weight == 0 ? from.x_T : slerp(from.x_T, to.x_T, options.noise_weight);
  for (Tensor<B> const& z : edited)
    pictures.push_back(model.sample(x_T, z, grid, options.ddim, options.guidance));
  return pictures;
}

}  // namespace diffsiam::model
