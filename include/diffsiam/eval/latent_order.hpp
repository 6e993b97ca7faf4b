// Which direction of z is lost at which time-step, in closed form, for any trained encoder E.
//   1. z = E(x_0) is whitened.
//   2. At each of some time-steps tau the denoiser's one-step x_0^(x_tau) is encoded and whitened alike. What
//      ridge regression predicts of z from it is what x_tau still tells. The pictures are in two halves, and
//      each half is predicted by the weights of the other.
//   3. M_tau is the symmetric part of the covariance of z and its prediction: the identity where all of z is
//      still told, 0 where all is lost.
//   4. Its mean over all time-steps (M_0 = 1, M_T = 0, linear in between) has eigenvectors v and eigenvalues
//      e. e T is the time-step at which v is lost: where M falls from 1 to 0 at one step, it is that step.
// The rotation by v, ascending, puts what is lost first into the first dims.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/latent_basis.hpp>
#include <diffsiam/eval/ridge.hpp>
#include <diffsiam/model/latent_map.hpp>

namespace diffsiam::eval {

/// What the first pictures become after noise and one step of the denoiser, encoded: (count, dims).
/// `t` is the time-step of the noise, in [0, T), and `values` are row-major.
struct DenoisedCodes {
  int t = 0;
  std::vector<float> values;
};

/// What latent_order() assumes.
struct LatentOrderConfig {
  int timesteps = 1000;  ///< T
  double ridge = 0.01;   ///< the strength of RidgeSystem, where z has variance 1
  double floor = 1e-7;   ///< of variances, as a share of the greatest; see variance_order
};

/// What latent_order() returns.
struct LatentOrder {
  std::vector<double> lost_steps;  ///< of each dim of z', ascending, in [0, T]
  model::LatentMap map;            ///< z -> z', of variance 1
};

/// M_tau for codes that are whitened already, (count, dims) each: step 2 and 3 above.
[[nodiscard]] inline Eigen::MatrixXd told_share(Eigen::MatrixXd const& z, Eigen::MatrixXd const& denoised,
                                                double ridge) {
  Index const dims = z.cols(), half = z.rows() / 2;
  auto const floats = [](Eigen::MatrixXd const& rows) {
    detail::RowMatrix const narrow = rows.cast<float>();
    return std::vector<float>(narrow.data(), narrow.data() + narrow.size());
  };
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(dims, dims);
  for (bool const first : {true, false}) {
    auto const part = [&](Eigen::MatrixXd const& rows, bool upper) {
      return Eigen::MatrixXd{upper ? rows.topRows(half) : rows.bottomRows(rows.rows() - half)};
    };
    Eigen::MatrixXd const seen_z = part(z, first), seen = part(denoised, first), held_z = part(z, !first),
                          held = part(denoised, !first);
    auto const x = floats(seen), y = floats(seen_z);
    RidgeSystem const system{{x, seen.rows(), dims}, y};
    auto const weights = system.solve({0, dims}, ridge).values;
    Eigen::MatrixXd const predicted = (held * weights.topRows(dims)).rowwise() + weights.row(dims);
    Eigen::MatrixXd const product = held_z.transpose() * predicted / static_cast<double>(held.rows());
    sum += (product + product.transpose()) / 4;
  }
  return sum;
}

/// The order for codes z of training pictures, of which the first ones are also known after noise: `denoised`
/// has ascending t in (0, T), each with as many codes. Throws as require_features; ShapeError if codes do not
/// fit z, or for fewer than 4 pictures; RangeError for none or for t out of range or order. `pool` may be
/// null.
[[nodiscard]] inline LatentOrder latent_order(Features const& z, std::span<DenoisedCodes const> denoised,
                                              LatentOrderConfig const& config = {},
                                              ThreadPool* pool = nullptr) {
  constexpr std::string_view name = "latent_order";
  if (denoised.empty()) fail<RangeError>(name, "codes at one time-step or more", "none");
  model::LatentMap const white = variance_order(z, config.floor, pool);
  auto const size = static_cast<Index>(denoised.front().values.size());
  Index const count = size / z.dims;
  if (size % z.dims != 0 || count < 4 || count > z.count)
    fail<ShapeError>(name, {"from 4 to ", z.count, " denoised codes of ", z.dims, " dims"},
                     {size, " values"});
  Features const known{z.values.first(static_cast<std::size_t>(size)), count, z.dims};
  Eigen::MatrixXd const clean = detail::mapped(known, white);

  // The area under M over t, by the trapezoidal rule, from M_0 = 1.
  Eigen::MatrixXd area = Eigen::MatrixXd::Zero(z.dims, z.dims);
  Eigen::MatrixXd before = Eigen::MatrixXd::Identity(z.dims, z.dims);
  int last = 0;
  for (DenoisedCodes const& codes : denoised) {
    if (codes.t <= last || codes.t >= config.timesteps)
      fail<RangeError>(name, {"ascending time-steps in (0, ", config.timesteps, ")"},
                       {codes.t, " after ", last});
    if (static_cast<Index>(codes.values.size()) != size)
      fail<ShapeError>(name, {size, " values at each time-step"}, {codes.values.size(), " at ", codes.t});
    Features const features{codes.values, count, z.dims};
    require_features(name, features);
    Eigen::MatrixXd const share = told_share(clean, detail::mapped(features, white), config.ridge);
    area += (before + share) * ((codes.t - last) / 2.0);
    before = share;
    last = codes.t;
  }
  area += before * ((config.timesteps - last) / 2.0);

  auto const solver = detail::eigenvectors_of(name, area);
  LatentOrder order;
  for (double const step : solver.eigenvalues())
    order.lost_steps.push_back(std::clamp(step, 0.0, static_cast<double>(config.timesteps)));
  detail::SquareMatrix const turn = solver.eigenvectors().transpose();
  order.map = rotated(white, detail::values_of(turn));
  return order;
}

}  // namespace diffsiam::eval
