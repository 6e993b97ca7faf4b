// Counterfactuals and manipulation: z with some subsets of another picture's z, or moved along a direction.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>
#include <diffsiam/functional/interpolation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/tensor/inner_products.hpp>

namespace diffsiam::model {

/// z with its subsets [first, last) moved towards those of `other`: weight 0 leaves them, 1 replaces them.
/// Both (n, dims). Throws RangeError for subsets outside the partition.
template <class B>
[[nodiscard]] Tensor<B> exchange_subsets(encoder::TimestepPartition const& partition, Tensor<B> const& z,
                                         Tensor<B> const& other, int first, int last, double weight = 1) {
  require_shape("exchange_subsets", {z.shape().samples(), partition.dims()}, z.shape(),
                "z is as wide as its partition");
  require_shape("exchange_subsets", z.shape(), other.shape(), "both latents have one shape");
  if (first < 0 || last <= first || last > partition.subsets()) {
    fail<RangeError>("exchange_subsets", {"subsets within [0, ", partition.subsets(), ")"},
                     {"[", first, ", ", last, ")"});
  }
  using T = typename B::Scalar;
  Tensor<B> const result = z.clone();
  Index const begin = partition.begin(first), end = partition.end(last - 1);
  SampleGrid const columns{1, z.shape().samples(), end - begin};
  B::for_each(z.context(), columns.grid(), functional::MoveTowards<T>{static_cast<T>(weight)},
              columns.full(result.data() + begin, partition.dims()),
              columns.full(other.data() + begin, partition.dims()));
  return result;
}

/// Spherical interpolation of noise, sample by sample: weight 0 gives x, weight 1 gives y (n, ...). It keeps
/// the length of Gaussian noise, which a straight line would shorten (Shoemake, 1985). The line is straight
/// where the arc is not defined: between parallel or opposite samples, and from zeros.
template <class B>
[[nodiscard]] Tensor<B> slerp(Tensor<B> const& x, Tensor<B> const& y, double weight) {
  require_shape("slerp", x.shape(), y.shape(), "both have one shape");
  auto& context = x.context();
  SampleGrid const g{x.shape().samples(), 1, x.size() / std::max<Index>(1, x.shape().samples())};
  auto const xx = inner_products(x, x), xy = inner_products(x, y), yy = inner_products(y, y);
  std::vector<double> from(xx.size()), to(xx.size());
  for (std::size_t i = 0; i < xx.size(); ++i) {
    double const cosine = std::clamp(xy[i] / std::sqrt(xx[i] * yy[i]), -1.0, 1.0);
    double const angle = std::acos(cosine);
    // Parallel: the straight line is right. Opposite: weights of 1/sin would magnify rounding errors.
    bool const straight = !(std::sin(angle) > (cosine < 0 ? 1e-3 : 1e-6));
    from[i] = straight ? 1 - weight : std::sin((1 - weight) * angle) / std::sin(angle);
    to[i] = straight ? weight : std::sin(weight * angle) / std::sin(angle);
  }
  auto const a = Tensor<B>::from(context, {g.n}, std::span<double const>{from});
  auto const b = Tensor<B>::from(context, {g.n}, std::span<double const>{to});
  Tensor<B> result{context, x.shape()};
  B::for_each(context, g.grid(), functional::WeightedSum{}, g.full(result.data()), g.full(x.data()),
              g.per_sample(a.data()), g.full(y.data()), g.per_sample(b.data()));
  return result;
}

/// z + strength sqrt(d) w / |w| for a direction w (d), such as a row of a linear classifier; both are in
/// standardised space. Throws ShapeError for a direction of another width, ConfigError for w = 0,
/// NumericError for a w or a strength that is not finite.
template <class B>
[[nodiscard]] Tensor<B> manipulate(Tensor<B> const& z, std::span<float const> direction, double strength) {
  Index const d = z.shape().channels();
  if (static_cast<Index>(direction.size()) != d) {
    fail<ShapeError>("manipulate", {"a direction of ", d, " dims"}, direction.size());
  }
  double square = 0;
  for (float const w : direction) square += static_cast<double>(w) * static_cast<double>(w);
  if (!std::isfinite(square) || !std::isfinite(strength))
    fail<NumericError>("manipulate", "a finite direction and strength",
                       {"length ", std::sqrt(square), " and ", strength});
  if (!(square > 0)) fail<ConfigError>("manipulate", "a direction that is not zero", "length 0");
  // The inverse of a length near the limits of float would overflow or underflow.
  double const unit = square > 1e-30 && square < 1e30 ? 1 : std::sqrt(square);
  std::vector<double> scaled(direction.begin(), direction.end());
  for (double& w : scaled) w /= unit;
  square /= unit * unit;
  using T = typename B::Scalar;
  auto const w = Tensor<B>::from(z.context(), {d}, std::span<double const>{scaled});
  Tensor<B> const result = z.clone();
  SampleGrid const g{1, z.size() / d, d};
  B::for_each(
      z.context(), g.grid(),
      functional::AccumulateScaled<T>{static_cast<T>(strength * std::sqrt(static_cast<double>(d) / square))},
      g.full(result.data()), g.per_channel(w.data()));
  return result;
}

}  // namespace diffsiam::model
