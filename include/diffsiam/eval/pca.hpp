// Pca: principal components, the baseline that learned features of the same size must beat. They are the
// eigenvectors of the covariance of the training features, the largest eigenvalues first.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <Eigen/Eigenvalues>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>

namespace diffsiam::eval {

/// Settings of Pca::fit().
struct PcaConfig {
  Index components = 64;     ///< at least 1
  bool whiten = false;       ///< divides each component by its standard deviation
  bool allow_fewer = false;  ///< if the data have fewer directions, take fewer components; else an error
};

namespace detail {

using EigenSolver = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;

/// The eigenvectors along which samples vary by more than rounding, the largest variance first. Rounding is
/// dims (2^-23)^2 times the mean square of the dims of a direction, because features are floats, and dims
/// 2^-52 times the largest variance, because of the solver.
[[nodiscard]] inline std::vector<Index> held_directions(Eigen::VectorXd const& mean,
                                                        Eigen::MatrixXd const& covariance,
                                                        EigenSolver const& solver) {
  constexpr double of_float = std::numeric_limits<float>::epsilon();
  constexpr double of_double = std::numeric_limits<double>::epsilon();
  Eigen::VectorXd const mean_square = mean.cwiseAbs2() + covariance.diagonal();
  Eigen::VectorXd const along = solver.eigenvectors().cwiseAbs2().transpose() * mean_square;
  double const greatest = solver.eigenvalues().maxCoeff();
  auto const dims = static_cast<double>(mean.size());
  std::vector<Index> held;
  for (Index j = mean.size() - 1; j >= 0; --j)  // Eigen sorts eigenvalues in ascending order
    if (solver.eigenvalues()[j] > dims * std::max(of_float * of_float * along[j], of_double * greatest))
      held.push_back(j);
  return held;
}

}  // namespace detail

/// z = B^T (x - m), where B (dims, components) is orthonormal. The largest entry of each column, by absolute
/// value, is positive.
class Pca {
 public:
  /// Throws ConfigError for components outside [1, dims], or if there are more than directions in which the
  /// samples vary (at most n - 1 for n samples), unless allow_fewer is set; RangeError if the features do not
  /// vary, and as require_features. `pool` may be null.
  [[nodiscard]] static Pca fit(Features const& train, PcaConfig const& config = {},
                               ThreadPool* pool = nullptr) {
    require_features("Pca::fit", train);
    if (config.components < 1 || (config.components > train.dims && !config.allow_fewer))
      fail<ConfigError>("Pca::fit",
                        "components in [1, " + std::to_string(train.dims) + "], the dims of the features",
                        config.components);
    auto const asked = static_cast<std::size_t>(std::min(config.components, train.dims));
    Eigen::VectorXd const mean = mean_of(train);
    Eigen::MatrixXd covariance = covariance_of(train, mean, pool);
    detail::EigenSolver solver = solved(covariance);
    std::vector<Index> held = detail::held_directions(mean, covariance, solver);
    // Sums of 2048 products in float leave this much of the largest eigenvalue in the others.
    double const doubtful = 5e-6 * solver.eigenvalues().maxCoeff();
    if (held.size() < asked || solver.eigenvalues()[held[asked - 1]] <= doubtful) {
      covariance = precise_covariance_of(train, mean, pool);
      solver = solved(covariance);
      held = detail::held_directions(mean, covariance, solver);
    }
    if (held.empty())
      fail<RangeError>("Pca::fit", "features that vary",
                       {train.count, " samples that are equal but for rounding"});
    if (held.size() < asked && !config.allow_fewer)
      fail<ConfigError>("Pca::fit",
                        {"at most ", held.size(), " components, the directions in which these ", train.count,
                         " samples vary"},
                        config.components, "take fewer, set allow_fewer, or fit on more samples");
    held.resize(std::min(held.size(), asked));

    Pca result;
    result.whitened_ = config.whiten;
    result.mean_ = mean.transpose().cast<float>();
    result.basis_.resize(train.dims, static_cast<Index>(held.size()));
    result.total_variance_ = solver.eigenvalues().sum();
    for (Index k = 0; k < result.basis_.cols(); ++k) {
      Index const from = held[static_cast<std::size_t>(k)];
      double const variance = solver.eigenvalues()[from];
      Eigen::VectorXd direction = solver.eigenvectors().col(from);
      Index greatest = 0;
      direction.cwiseAbs().maxCoeff(&greatest);
      if (direction[greatest] < 0) direction = -direction;
      if (config.whiten) direction *= 1 / std::sqrt(variance);
      result.basis_.col(k) = direction.cast<float>();
      result.variances_.push_back(variance);
    }
    if (!result.basis_.allFinite())
      fail<NumericError>("Pca::fit", "deviations whose inverse a float holds",
                         {"a variance of ", result.variances_.back()}, "scale the features");
    return result;
  }

  [[nodiscard]] Index dims() const { return basis_.rows(); }
  [[nodiscard]] Index components() const { return basis_.cols(); }
  /// The variance along each component, in descending order.
  [[nodiscard]] std::vector<double> const& variances() const& { return variances_; }
  [[nodiscard]] std::vector<double> variances() const&& { return variances_; }
  /// The fraction of the training variance that the components have, in [0, 1].
  [[nodiscard]] double explained() const {
    double sum = 0;
    for (double const variance : variances_) sum += variance;
    return total_variance_ > 0 ? std::min(sum / total_variance_, 1.0) : 1;  // eigenvalues may be negative
  }

  /// The components of each sample, (count, components). Throws ShapeError if the dims differ from those of
  /// the fit, NumericError if features are too far from those of training for a float.
  [[nodiscard]] std::vector<float> operator()(Features const& features, ThreadPool* pool = nullptr) const {
    require_features("Pca", features);
    if (features.dims != dims())
      fail<ShapeError>("Pca", std::to_string(dims()) + " dims, as fitted", features.dims);
    constexpr Index block = 1024;
    std::vector<float> result(static_cast<std::size_t>(features.count * components()));
    Eigen::Map<detail::RowMatrix> target{result.data(), features.count, components()};
    detail::for_pieces(pool, detail::block_count(features.count, block), [&](Index piece) {
      detail::RowBlock const rows = detail::row_block(features.count, block, piece);
      detail::RowMatrix const centred = detail::rows_of(features, rows).rowwise() - mean_;
      target.middleRows(rows.begin, rows.rows).noalias() = centred * basis_;
    });
    require_finite("Pca", "features near those of training", result, components());
    return result;
  }

  /// The samples whose components are z and that lie in the plane of the components: m + B z, or
  /// m + B diag(variances) z for whitened ones; (count, dims). Thus inverse(pca(x)) is x projected on this
  /// plane. Throws ShapeError unless z has components() dims. `pool` may be null.
  [[nodiscard]] std::vector<float> inverse(Features const& z, ThreadPool* pool = nullptr) const {
    require_features("Pca::inverse", z);
    if (z.dims != components())
      fail<ShapeError>("Pca::inverse", std::to_string(components()) + " dims, the components", z.dims);
    constexpr Index block = 1024;
    detail::RowMatrix back = basis_.transpose();
    if (whitened_)
      for (Index k = 0; k < back.rows(); ++k)
        back.row(k) *= static_cast<float>(variances_[static_cast<std::size_t>(k)]);
    std::vector<float> result(static_cast<std::size_t>(z.count * dims()));
    Eigen::Map<detail::RowMatrix> target{result.data(), z.count, dims()};
    detail::for_pieces(pool, detail::block_count(z.count, block), [&](Index piece) {
      detail::RowBlock const rows = detail::row_block(z.count, block, piece);
      target.middleRows(rows.begin, rows.rows).noalias() = detail::rows_of(z, rows) * back;
      target.middleRows(rows.begin, rows.rows).rowwise() += mean_;
    });
    return result;
  }

 private:
  [[nodiscard]] static detail::EigenSolver solved(Eigen::MatrixXd const& covariance) {
    detail::EigenSolver solver{covariance};
    if (solver.info() != Eigen::Success)
      fail<NumericError>("Pca::fit", "eigenvalues of the covariance", "no convergence");
    return solver;
  }

  Eigen::RowVectorXf mean_;
  detail::RowMatrix basis_;
  bool whitened_ = false;
  std::vector<double> variances_;
  double total_variance_ = 0;
};

}  // namespace diffsiam::eval
