// Other bases of the latent space as maps (model/latent_map.hpp): whitened directions sorted by variance,
// rotations of a map, and its reverse. They are the start of latent_order, and the controls of every claim of
// order: any sort by variance gives some order of factors, without a denoiser.
#pragma once

#include <cmath>
#include <numbers>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>
#include <diffsiam/model/latent_map.hpp>

namespace diffsiam::eval {

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

/// Whitened principal directions of z, the smallest variance first. `floor` times the greatest variance is
/// added to each, because what is below is rounding. Throws as require_features, and RangeError for features
/// that do not vary.
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

}  // namespace diffsiam::eval
