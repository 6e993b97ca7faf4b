// Frechet distance of two sets of features, each taken for a Gaussian (Dowson and Landau, 1982; with
// Inception's features it is the FID of Heusel et al., 2017):
//   |m_1 - m_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)), covariances over n - 1.
// With R = S_1^(1/2), tr (S_1 S_2)^(1/2) is the sum of the roots of the eigenvalues of the symmetric R S_2 R.
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>

#include <Eigen/Eigenvalues>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// What the distance reads of a set: a reference set is summed once and compared often.
class FrechetMoments {
 public:
  /// Throws ShapeError and NumericError as require_features does, RangeError for fewer than 2 samples. With
  /// no more samples than dims the covariance has directions without variance, which the distance bears but
  /// which biases it upwards: compare figures of equal counts only. `pool` may be null.
  [[nodiscard]] static FrechetMoments of(Features const& features, ThreadPool* pool = nullptr) {
    require_features("FrechetMoments", features);
    if (features.count < 2) fail<RangeError>("FrechetMoments", "at least 2 samples", features.count);
    FrechetMoments result;
    auto const n = static_cast<double>(features.count);
    result.mean_ = mean_of(features);
    result.covariance_ = stable_covariance_of(features, result.mean_, pool) * (n / (n - 1));
    return result;
  }

  [[nodiscard]] Index dims() const { return mean_.size(); }
  [[nodiscard]] Eigen::VectorXd const& mean() const& { return mean_; }
  [[nodiscard]] Eigen::VectorXd mean() const&& { return mean_; }
  [[nodiscard]] Eigen::MatrixXd const& covariance() const& { return covariance_; }
  [[nodiscard]] Eigen::MatrixXd covariance() const&& { return covariance_; }

 private:
  Eigen::VectorXd mean_;
  Eigen::MatrixXd covariance_;
};

namespace detail {

/// Throws NumericError where the eigenvalues are not found.
[[nodiscard]] inline Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen_of(Eigen::MatrixXd const& matrix,
                                                                             int options) {
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{matrix, options};
  if (solver.info() != Eigen::Success)
    fail<NumericError>("frechet_distance", "eigenvalues of the covariances", "no convergence");
  return solver;
}

}  // namespace detail

/// Squared, as is customary: 0 for equal moments, up to about 1e-7 of the variance; never below 0. Throws
/// ShapeError for unequal dims, RangeError for moments of nothing.
[[nodiscard]] inline double frechet_distance(FrechetMoments const& a, FrechetMoments const& b) {
  if (a.dims() == 0) fail<RangeError>("frechet_distance", "moments of features", "none");
  if (a.dims() != b.dims()) fail<ShapeError>("frechet_distance", {a.dims(), " dims on both sides"}, b.dims());
  auto const first = detail::eigen_of(a.covariance(), Eigen::ComputeEigenvectors);
  // Rounding may leave eigenvalues just below 0.
  Eigen::MatrixXd const root = first.eigenvectors() *
                               first.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
                               first.eigenvectors().transpose();
  Eigen::MatrixXd const between = root * b.covariance() * root;
  double const shared =
      detail::eigen_of(between, Eigen::EigenvaluesOnly).eigenvalues().cwiseMax(0).cwiseSqrt().sum();
  double const distance =
      (a.mean() - b.mean()).squaredNorm() + a.covariance().trace() + b.covariance().trace() - 2 * shared;
  return std::max(distance, 0.0);
}
/// Of the features themselves; errors as FrechetMoments::of besides. `pool` may be null.
[[nodiscard]] inline double frechet_distance(Features const& a, Features const& b,
                                             ThreadPool* pool = nullptr) {
  return frechet_distance(FrechetMoments::of(a, pool), FrechetMoments::of(b, pool));
}

}  // namespace diffsiam::eval
