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
#include <cmath>
#include <numbers>
#include <span>
#include <string_view>
#include <vector>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/ridge.hpp>
#include <diffsiam/model/latent_map.hpp>

namespace diffsiam::eval {

/// What the first pictures become after noise and one step of the denoiser, encoded: (count, dims).
struct DenoisedCodes {
  int t = 0;
  std::vector<float> values;
};

struct LatentOrderConfig {
  int timesteps = 1000;  ///< T
  double ridge = 0.01;   ///< the strength of RidgeSystem, where z has variance 1
  double floor = 1e-7;   ///< of variances, as a share of the greatest: what is below is rounding
};

struct LatentOrder {
  std::vector<double> lost_steps;  ///< of each dim of z', ascending, in [0, T]
  model::LatentMap map;            ///< z -> z', of variance 1
};

namespace detail {

using SquareMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

[[nodiscard]] inline Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigenvectors_of(
    std::string_view operation, Eigen::MatrixXd const& symmetric) {
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{symmetric};
  if (solver.info() != Eigen::Success) fail<NumericError>(operation, "eigenvalues", "no convergence");
  return solver;
}

[[nodiscard]] inline std::vector<double> values_of(SquareMatrix const& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

/// z' of features, (count, dims) in double.
[[nodiscard]] inline Eigen::MatrixXd mapped(Features const& z, model::LatentMap const& map) {
  Index const d = map.dims();
  Eigen::Map<Eigen::RowVectorXd const> const mean{map.mean.data(), d};
  Eigen::Map<SquareMatrix const> const forward{map.forward.data(), d, d};
  Eigen::MatrixXd const centred = rows_of(z, {0, z.count}).template cast<double>().rowwise() - mean;
  return centred * forward.transpose();
}

}  // namespace detail

/// Whitened principal directions of z, the smallest variance first. This is the control of every claim of
/// order: any sort by variance gives some order of factors, without a denoiser. Throws as require_features,
/// and RangeError for features that do not vary.
[[nodiscard]] inline model::LatentMap variance_order(Features const& z, double floor = 1e-7,
                                                     ThreadPool* pool = nullptr) {
  require_features("variance_order", z);
  Eigen::VectorXd const mean = mean_of(z);
  auto const solver = detail::eigenvectors_of("variance_order", precise_covariance_of(z, mean, pool));
  double const greatest = solver.eigenvalues().maxCoeff();
  if (!(greatest > 0))
    fail<RangeError>("variance_order", "features that vary", {z.count, " samples that are equal"});
  Eigen::VectorXd const deviation =
      (solver.eigenvalues().cwiseMax(0).array() + floor * greatest).sqrt().matrix();
  detail::SquareMatrix const forward =
      deviation.cwiseInverse().asDiagonal() * solver.eigenvectors().transpose();
  detail::SquareMatrix const inverse = solver.eigenvectors() * deviation.asDiagonal();
  return {{mean.data(), mean.data() + mean.size()}, detail::values_of(forward), detail::values_of(inverse)};
}

/// The map followed by z'' = R z'. R (dims, dims) is orthonormal, row-major. Throws ShapeError for another
/// size.
[[nodiscard]] inline model::LatentMap rotated(model::LatentMap map, std::span<double const> rotation) {
  Index const d = map.dims();
  if (static_cast<Index>(rotation.size()) != d * d)
    fail<ShapeError>("rotated", {"a rotation (", d, ", ", d, ")"}, {rotation.size(), " entries"});
  Eigen::Map<detail::SquareMatrix const> const turn{rotation.data(), d, d};
  Eigen::Map<detail::SquareMatrix> forward{map.forward.data(), d, d}, inverse{map.inverse.data(), d, d};
  forward = (turn * forward).eval();
  inverse = (inverse * turn.transpose()).eval();
  return map;
}

/// The same dims, the last one first.
[[nodiscard]] inline model::LatentMap reversed(model::LatentMap map) {
  Index const d = map.dims();
  Eigen::Map<detail::SquareMatrix> forward{map.forward.data(), d, d}, inverse{map.inverse.data(), d, d};
  forward = forward.colwise().reverse().eval();
  inverse = inverse.rowwise().reverse().eval();
  return map;
}

/// A rotation drawn uniformly: the Q of a matrix of normal numbers, with the signs of R's diagonal. Throws
/// ConfigError for dims below 1.
[[nodiscard]] inline std::vector<double> random_rotation(Index dims, Rng const& rng) {
  if (dims < 1) fail<ConfigError>("random_rotation", "at least 1 dim", dims);
  Eigen::MatrixXd normal(dims, dims);
  for (Index i = 0; i < dims * dims; ++i) {
    auto const words = rng.words(static_cast<std::uint64_t>(i));  // Box and Muller
    double const u = (words[0] + 0.5) * 0x1p-32, v = (words[1] + 0.5) * 0x1p-32;
    normal(i / dims, i % dims) = std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  }
  Eigen::HouseholderQR<Eigen::MatrixXd> const qr{normal};
  detail::SquareMatrix q = qr.householderQ();
  for (Index j = 0; j < dims; ++j)
    if (qr.matrixQR()(j, j) < 0) q.col(j) = -q.col(j);
  return detail::values_of(q);
}

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
