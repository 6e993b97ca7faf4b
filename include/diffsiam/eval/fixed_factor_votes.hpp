// The votes of the FactorVAE score. Each batch of samples that share the level of one factor gives one vote,
// for the part of the code that varies least in it.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/dim_groups.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// Finds the part that varies least. In each dim the variance of a batch is divided by that of all samples; a
/// part has the mean over its dims. Dims with almost no variance are pruned, because they would always win.
class LeastVarying {
 public:
  /// Dims are pruned if their variance is below `prune` times the mean variance of all dims; with 0 only
  /// constant dims are. Throws ShapeError and NumericError as require_features, ConfigError for groups that
  /// do not fit or a prune outside [0, 1].
  [[nodiscard]] static LeastVarying fit(Features const& all, DimGroups groups, double prune = 0.05) {
    require_features("LeastVarying::fit", all);
    require_groups("LeastVarying::fit", groups, all.dims);
    if (!(prune >= 0 && prune <= 1)) fail<ConfigError>("LeastVarying::fit", "prune in [0, 1]", prune);
    LeastVarying result;
    result.groups_ = std::move(groups);
    Eigen::VectorXd const variance = variance_of(all);
    double const least = prune * variance.mean();
    for (Index j = 0; j < all.dims; ++j) {
      bool const constant = detail::is_rounding(std::sqrt(variance[j]), static_cast<double>(all.row(0)[j]));
      result.precision_.push_back(constant || variance[j] < least ? 0 : 1 / variance[j]);
    }
    return result;
  }

  /// The width of the code.
  [[nodiscard]] Index dims() const { return static_cast<Index>(precision_.size()); }
  [[nodiscard]] DimGroups const& groups() const& { return groups_; }
  [[nodiscard]] DimGroups groups() const&& { return groups_; }
  /// Whether dim `j` is ignored.
  [[nodiscard]] bool pruned(Index j) const { return precision_[static_cast<std::size_t>(j)] == 0; }

  /// The part that varies least in `batch`, the first one if several are equal; -1 if all dims are pruned.
  /// Throws ShapeError for other dims or fewer than two samples, NumericError for NaN or infinity.
  [[nodiscard]] Index operator()(Features const& batch) const {
    require_features("LeastVarying", batch);
    if (batch.dims != dims() || batch.count < 2)
      fail<ShapeError>("LeastVarying", "two or more samples of " + std::to_string(dims()) + " dims",
                       "(" + std::to_string(batch.count) + ", " + std::to_string(batch.dims) + ")");
    Eigen::VectorXd const variance = variance_of(batch);
    Index best = -1;
    double least = 0;
    for (Index g = 0; g < groups_.count(); ++g) {
      double sum = 0, kept = 0;
      for (Index j = groups_.begin(g); j < groups_.end(g); ++j) {
        if (pruned(j)) continue;
        sum += variance[j] * precision_[static_cast<std::size_t>(j)];
        kept += 1;
      }
      if (kept == 0 || (best >= 0 && sum / kept >= least)) continue;
      best = g;
      least = sum / kept;
    }
    return best;
  }

 private:
  [[nodiscard]] static Eigen::VectorXd variance_of(Features const& features) {
    // Relative to the first sample, so that large means do not cancel.
    using Row = Eigen::Map<Eigen::VectorXf const>;
    Eigen::VectorXd const origin = Row(features.row(0), features.dims).cast<double>();
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(features.dims), squares = sum, distance;
    for (Index i = 0; i < features.count; ++i) {
      distance = Row(features.row(i), features.dims).cast<double>() - origin;
      sum += distance;
      squares += distance.cwiseAbs2();
    }
    auto const n = static_cast<double>(features.count);
    return (squares / n - (sum / n).cwiseAbs2()).cwiseMax(0.0);
  }

  DimGroups groups_;
  std::vector<double> precision_;
};

/// counts(g, k) is the number of batches with factor k fixed in which part g varied least; (parts, factors).
struct FixedFactorVotes {
  Eigen::MatrixXd counts;  ///< (parts, factors)
  double lost = 0;         ///< batches in which all dims were pruned

  /// No votes yet. Both numbers are at least 1.
  FixedFactorVotes(Index parts, int factors) : counts(Eigen::MatrixXd::Zero(parts, factors)) {}
  /// `part` is a result of LeastVarying, -1 included. Throws RangeError for others.
  void add(Index part, int factor) {
    if (part < -1 || part >= counts.rows() || factor < 0 || factor >= counts.cols())
      fail<RangeError>("FixedFactorVotes::add",
                       "a part in [-1, " + std::to_string(counts.rows()) + ") and a factor in [0, " +
                           std::to_string(counts.cols()) + ")",
                       std::to_string(part) + " and " + std::to_string(factor));
    if (part < 0)
      lost += 1;
    else
      counts(part, factor) += 1;
  }
  /// The number of all votes, those that are lost included.
  [[nodiscard]] double total() const { return counts.sum() + lost; }
};

}  // namespace diffsiam::eval
