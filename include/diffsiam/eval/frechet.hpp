// The Frechet distance between two sets of features, each treated as a Gaussian (Dowson and Landau, 1982).
// With features of Inception it is the FID of Heusel et al. (2017):
//   |m_1 - m_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)), with covariances over n - 1.
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

/// The moments of a set of features. A reference set is summed once and compared often.
class FrechetMoments {
 public:
  /// Throws ShapeError and NumericError as require_features, RangeError for fewer than 2 samples. If there
  /// are no more samples than dims, the covariance has directions without variance. The distance is then
  /// biased upwards, so compare only distances of the same number of samples. `pool` may be null.
  [[nodiscard]] static FrechetMoments of(Features const& features, ThreadPool* pool = nullptr) {
    require_features("FrechetMoments", features);
    if (features.count < 2) fail<RangeError>("FrechetMoments", "at least 2 samples", features.count);
    FrechetMoments result;
    auto const n = static_cast<double>(features.count);
    result.mean_ = mean_of(features);
    result.covariance_ = stable_covariance_of(features, result.mean_, pool) * (n / (n - 1));
    return result;
  }

  /// The width of the features.
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

/// Throws NumericError if the eigenvalues are not found.
[[nodiscard]] inline Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen_of(Eigen::MatrixXd const& matrix,
                                                                             int options) {
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{matrix, options};
  if (solver.info() != Eigen::Success)
    fail<NumericError>("frechet_distance", "eigenvalues of the covariances", "no convergence");
  return solver;
}

}  // namespace detail

/// The squared distance, as is usual. It is never below 0; for equal moments it is 0 up to about 1e-7 of the
/// variance. Throws ShapeError for unequal dims, RangeError for moments without features.
[[nodiscard]] inline double frechet_distance(FrechetMoments const& a, FrechetMoments const& b) {
  if (a.dims() == 0) fail<RangeError>("frechet_distance", "moments of features", "none");
  if (a.dims() != b.dims()) fail<ShapeError>("frechet_distance", {a.dims(), " dims on both sides"}, b.dims());
  auto const first = detail::eigen_of(a.covariance(), Eigen::ComputeEigenvectors);
  // Rounding may make eigenvalues slightly negative.
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
/// The same from features; also throws as FrechetMoments::of. `pool` may be null.
[[nodiscard]] inline double frechet_distance(Features const& a, Features const& b,
                                             ThreadPool* pool = nullptr) {
  return frechet_distance(FrechetMoments::of(a, pool), FrechetMoments::of(b, pool));
}

}  // namespace diffsiam::eval
