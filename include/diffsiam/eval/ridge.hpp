// Ridge regression of several targets in closed form: minimises over W (dims, targets) and b
//   mean_i |W^T x_i + b - y_i|^2 + strength |W|^2.
// With C = mean (x - m)(x - m)^T and D = mean (x - m)(y - m_y)^T, W = (C + strength I)^{-1} D and b = m_y -
// W^T m. C and D are computed once; then each range of columns and each strength is one small solve. The
// strength corresponds to alpha = n strength of scikit-learn's Ridge.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>

namespace diffsiam::eval {

/// Columns [begin, end) of features.
/// `begin` is the first column, `end` the one behind the last.
struct FeatureColumns {
  Index begin = 0;
  Index end = 0;
};

/// W, with b in the last row, for `columns`; (columns + 1, targets).
struct RidgeWeights {
  FeatureColumns columns;
  Eigen::MatrixXd values;  ///< the matrix; the last row is b
};

/// The moments C and D of features and targets, from which solve() gets weights.
class RidgeSystem {
 public:
  /// Targets are (count, targets), row-major. Throws ShapeError for counts that do not fit, NumericError for
  /// NaN or infinity in features or targets. `pool` may be null.
  RidgeSystem(Features const& train, std::span<float const> targets, ThreadPool* pool = nullptr) {
    require_features("RidgeSystem", train);
    auto const size = static_cast<Index>(targets.size());
    if (size == 0 || size % train.count != 0)
      fail<ShapeError>("RidgeSystem", {"targets (", train.count, ", at least 1)"}, {size, " values"});
    Features const y{targets, train.count, size / train.count};
    require_features("RidgeSystem", y);
    mean_ = mean_of(train);
    target_mean_ = mean_of(y);
    covariance_ = covariance_of(train, mean_, pool);
    dependent_ = train.count <= train.dims || detail::nearly_dependent(covariance_);
    if (dependent_) covariance_ = precise_covariance_of(train, mean_, pool);
    cross_ = dependent_ ? cross_of<double>(train, y, pool) : cross_of<float>(train, y, pool);
    if (!cross_.allFinite()) cross_ = cross_of<double>(train, y, pool);  // too large for float
  }

  /// The width of the features.
  [[nodiscard]] Index dims() const { return covariance_.rows(); }
  /// The number of targets.
  [[nodiscard]] Index targets() const { return cross_.cols(); }

  /// The weights for these columns alone. Throws RangeError for columns outside the features or an empty
  /// range, ConfigError unless the strength is above 0 and finite; and, if columns depend on each other (as
  /// with few samples), also above rounding, because the weights are not determined otherwise.
  [[nodiscard]] RidgeWeights solve(FeatureColumns columns, double strength) const {
    if (columns.begin < 0 || columns.end <= columns.begin || columns.end > dims())
      fail<RangeError>("RidgeSystem::solve", {"columns within [0, ", dims(), ")"},
                       {"[", columns.begin, ", ", columns.end, ")"});
    if (!(strength > 0) || std::isinf(strength))
      fail<ConfigError>("RidgeSystem::solve", "a finite strength above 0", strength);
    double const rounding = static_cast<double>(dims()) * std::numeric_limits<double>::epsilon() *
                            covariance_.diagonal().maxCoeff();
    if (dependent_ && strength < rounding)
      fail<ConfigError>("RidgeSystem::solve",
                        {"a strength of at least ", dims(), " times 2^-52 of the greatest variance"}, "less",
                        "columns depend on each other: without it rounding alone is divided by");
    Index const begin = columns.begin, width = columns.end - columns.begin;
    Eigen::MatrixXd matrix = covariance_.block(begin, begin, width, width);
    matrix.diagonal().array() += strength;
    RidgeWeights result{columns, Eigen::MatrixXd(width + 1, targets())};
    result.values.topRows(width) = matrix.ldlt().solve(cross_.middleRows(begin, width));
    result.values.row(width) =
        (target_mean_ - result.values.topRows(width).transpose() * mean_.segment(begin, width)).transpose();
    return result;
  }

 private:
  /// D: each piece is a panel of rows. Blocks of samples are summed in T, and the blocks in double.
  template <class T>
  [[nodiscard]] Eigen::MatrixXd cross_of(Features const& x, Features const& y, ThreadPool* pool) const {
    constexpr Index block = 2048, panel = 64;
    using Row = Eigen::Matrix<T, 1, Eigen::Dynamic>;
    Row const centre = target_mean_.transpose().cast<T>(), x_centre = mean_.transpose().cast<T>();
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(x.dims, y.dims);
    detail::for_pieces(pool, detail::block_count(x.dims, panel), [&](Index piece) {
      auto const [first, width] = detail::row_block(x.dims, panel, piece);
      Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> left, right;
      Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> product;
      for (Index part = 0; part < detail::block_count(x.count, block); ++part) {
        detail::RowBlock const rows = detail::row_block(x.count, block, part);
        left = detail::rows_of(x, rows).middleCols(first, width).template cast<T>();
        left.rowwise() -= x_centre.segment(first, width);
        right = detail::rows_of(y, rows).template cast<T>();
        right.rowwise() -= centre;
        product.noalias() = left.transpose() * right;
        result.middleRows(first, width) += product.template cast<double>();
      }
    });
    return result / static_cast<double>(x.count);
  }

  Eigen::VectorXd mean_, target_mean_;
  Eigen::MatrixXd covariance_, cross_;
  bool dependent_ = false;  ///< whether columns depend on each other, within the precision of float
};

/// W^T x + b of each sample, (count, targets), row-major. Throws ShapeError if the columns are outside the
/// features or do not fit the weights, NumericError for a prediction that is not finite.
[[nodiscard]] inline std::vector<float> ridge_predict(Features const& features, RidgeWeights const& weights,
                                                      ThreadPool* pool = nullptr) {
  auto const [begin, end] = weights.columns;
  if (begin < 0 || end <= begin || weights.values.rows() != end - begin + 1)
    fail<ShapeError>("ridge_predict", "weights of as many rows as columns, and one",
                     {weights.values.rows(), " for [", begin, ", ", end, ")"});
  if (end > features.dims) fail<ShapeError>("ridge_predict", {"at least ", end, " dims"}, features.dims);
  return detail::linear_outputs("ridge_predict", features, begin, weights.values, pool);
}

}  // namespace diffsiam::eval
