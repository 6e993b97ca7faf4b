// Principal components: the control that any learned features of the same width must beat. Fitted on training
// features alone: eigenvectors of their covariance, greatest eigenvalues first.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <Eigen/Eigenvalues>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>

namespace diffsiam::eval {

struct PcaConfig {
  Index components = 64;
  bool whiten = false;  ///< divide each component by its standard deviation
};

/// z = B^T (x - m), B (dims, components) orthonormal; the entry of greatest size in each column is positive.
class Pca {
 public:
  /// Throws ConfigError for components outside [1, dims], and as require_features does. `pool` may be null.
  [[nodiscard]] static Pca fit(Features const& train, PcaConfig const& config = {},
                               ThreadPool* pool = nullptr) {
    require_features("Pca::fit", train);
    if (config.components < 1 || config.components > train.dims)
      fail<ConfigError>("Pca::fit",
                        "components in [1, " + std::to_string(train.dims) + "], the dims of the features",
                        config.components);
    Eigen::VectorXd const mean = mean_of(train);
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> const solver{covariance_of(train, mean, pool)};
    if (solver.info() != Eigen::Success)
      fail<NumericError>("Pca::fit", "eigenvalues of the covariance", "no convergence");

    Pca result;
    result.mean_ = mean.transpose().cast<float>();
    result.basis_.resize(train.dims, config.components);
    result.total_variance_ = solver.eigenvalues().sum();
    for (Index k = 0; k < config.components; ++k) {
      Index const from = train.dims - 1 - k;  // Eigen sorts upwards
      double const variance = std::max(solver.eigenvalues()[from], 0.0);
      Eigen::VectorXd direction = solver.eigenvectors().col(from);
      Index greatest = 0;
      direction.cwiseAbs().maxCoeff(&greatest);
      if (direction[greatest] < 0) direction = -direction;
      if (config.whiten) direction *= variance > 0 ? 1 / std::sqrt(variance) : 0.0;
      result.basis_.col(k) = direction.cast<float>();
      result.variances_.push_back(variance);
    }
    return result;
  }

  [[nodiscard]] Index dims() const { return basis_.rows(); }
  [[nodiscard]] Index components() const { return basis_.cols(); }
  /// Variance along each component, descending.
  [[nodiscard]] std::vector<double> const& variances() const& { return variances_; }
  [[nodiscard]] std::vector<double> variances() const&& { return variances_; }
  /// The part of the training variance that the components hold, in [0, 1].
  [[nodiscard]] double explained() const {
    double sum = 0;
    for (double const variance : variances_) sum += variance;
    return total_variance_ > 0 ? sum / total_variance_ : 1;
  }

  /// (count, components). Throws ShapeError for another width.
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
    return result;
  }

 private:
  Eigen::RowVectorXf mean_;
  detail::RowMatrix basis_;
  std::vector<double> variances_;
  double total_variance_ = 0;
};

}  // namespace diffsiam::eval
