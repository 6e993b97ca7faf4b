// Softmax regression, full batch: minimise over W (dims, classes) and b (classes)
//   f = mean_i -log softmax(W^T x_i + b)[y_i] + decay/2 |W|^2
// by L-BFGS (Nocedal 1980), preconditioned by Boehning's bound on the Hessian, (X^T X / n) / 2 + decay I
// (1992): correlated features, such as raw pixels, then converge in tens of steps. Deterministic, with any
// number of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <deque>
#include <span>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/matrix.hpp>
#include <diffsiam/functional/math.hpp>

namespace diffsiam::eval {

/// Rows 0 .. dims-1 are W, the last row is b; (dims + 1, classes).
using SoftmaxWeights = Eigen::MatrixXd;

namespace detail {

/// W^T x + b of a block of rows, (rows, classes).
inline void softmax_logits(Features const& features, RowBlock const& rows, Eigen::MatrixXf const& weights,
                           RowMatrix& logits) {
  logits.noalias() = rows_of(features, rows) * weights.topRows(features.dims);
  logits.rowwise() += weights.row(features.dims);
}

/// Turns the logits of a sample into probabilities and returns -log of that of `label`.
inline double softmax_in_place(float* logits, Index classes, int label) {
  float const shift = *std::max_element(logits, logits + classes);
  float const target = logits[label] - shift;
  float sum = 0;
  for (Index c = 0; c < classes; ++c) logits[c] = functional::exp(logits[c] - shift);
  for (Index c = 0; c < classes; ++c) sum += logits[c];
  for (Index c = 0; c < classes; ++c) logits[c] /= sum;
  return std::log(static_cast<double>(sum)) - static_cast<double>(target);
}

}  // namespace detail

/// The most probable class of each sample.
[[nodiscard]] inline std::vector<int> softmax_predict(Features const& features, SoftmaxWeights const& weights,
                                                      ThreadPool* pool = nullptr) {
  constexpr Index block = 1024;
  Eigen::MatrixXf const narrow = weights.cast<float>();
  std::vector<int> result(static_cast<std::size_t>(features.count));
  detail::for_pieces(pool, detail::block_count(features.count, block), [&](Index piece) {
    detail::RowBlock const rows = detail::row_block(features.count, block, piece);
    detail::RowMatrix logits;
    detail::softmax_logits(features, rows, narrow, logits);
    for (Index i = 0; i < rows.rows; ++i) {
      float const* const row = logits.data() + i * logits.cols();
      result[static_cast<std::size_t>(rows.begin + i)] =
          static_cast<int>(std::max_element(row, row + logits.cols()) - row);
    }
  });
  return result;
}

/// The function f and its minimisation.
class SoftmaxRegression {
 public:
  /// Labels in [0, classes); features standardised, or at least centred. `pool` may be null. All must outlive
  /// this.
  SoftmaxRegression(Labelled const& data, int classes, ThreadPool* pool = nullptr)
      : data_(data),
        classes_(classes),
        pool_(pool),
        pieces_(detail::block_count(data.features.count, block)) {
    partial_.resize(static_cast<std::size_t>(pieces_));
    if (data.features.dims <= widest_exact_bound)
      bound_ = 0.5 * covariance_of(data.features, Eigen::VectorXd::Zero(data.features.dims), pool);
  }

  /// f at `weights`, its gradient in `gradient`.
  double evaluate(SoftmaxWeights const& weights, double decay, SoftmaxWeights& gradient) {
    Features const& x = data_.features;
    Eigen::MatrixXf const narrow = weights.cast<float>();
    detail::for_pieces(pool_, pieces_, [&](Index piece) {
      detail::RowBlock const rows = detail::row_block(x.count, block, piece);
      Partial& part = partial_[static_cast<std::size_t>(piece)];
      detail::softmax_logits(x, rows, narrow, part.residual);
      part.loss = 0;
      for (Index i = 0; i < rows.rows; ++i) {
        float* const row = part.residual.data() + i * classes_;
        int const label = data_.labels[static_cast<std::size_t>(rows.begin + i)];
        part.loss += detail::softmax_in_place(row, classes_, label);
        row[label] -= 1;
      }
      part.gradient.resize(x.dims + 1, classes_);
      part.gradient.topRows(x.dims).noalias() = detail::rows_of(x, rows).transpose() * part.residual;
      part.gradient.row(x.dims) = part.residual.colwise().sum();
    });
    double loss = 0;
    gradient.setZero(x.dims + 1, classes_);
    for (Partial const& part : partial_) {
      loss += part.loss;
      gradient += part.gradient.cast<double>();
    }
    gradient /= static_cast<double>(x.count);
    auto const w = weights.topRows(x.dims);
    gradient.topRows(x.dims) += decay * w;
    return loss / static_cast<double>(x.count) + decay / 2 * w.squaredNorm();
  }

  /// Goes from `weights` to the minimum, where half the Newton decrement, an estimate of what is left to
  /// gain, is below `tolerance`. `after_step(step, weights)` sees each step from 1. Returns whether it
  /// converged.
  bool minimise(SoftmaxWeights& weights, double decay, int most_steps, double tolerance,
                FunctionRef<void(int, SoftmaxWeights const&)> after_step) {
    factorise(decay);
    std::deque<Pair> history;
    SoftmaxWeights gradient, next_gradient;
    double loss = evaluate(weights, decay, gradient);
    for (int step = 1; step <= most_steps; ++step) {
      SoftmaxWeights const direction = -inverse_hessian_times(gradient, history);
      double const slope = gradient.cwiseProduct(direction).sum();
      if (-slope / 2 < tolerance) return true;
      // Armijo, by halves; the first length is nearly always right.
      double length = 1, next_loss = 0;
      SoftmaxWeights next;
      for (int halving = 0;; ++halving) {
        next = weights + length * direction;
        next_loss = evaluate(next, decay, next_gradient);
        if (next_loss <= loss + 1e-4 * length * slope) break;
        if (halving == 20) return true;  // below what float can tell apart
        length /= 2;
      }
      Pair pair{next - weights, next_gradient - gradient, 0};
      pair.curvature = pair.moved.cwiseProduct(pair.changed).sum();
      if (pair.curvature > 0) history.push_back(std::move(pair));
      if (history.size() > memory) history.pop_front();
      weights = std::move(next);
      gradient.swap(next_gradient);
      loss = next_loss;
      after_step(step, weights);
    }
    return false;
  }

 private:
  static constexpr Index block = 1024;
  static constexpr std::size_t memory = 10;
  static constexpr Index widest_exact_bound = 2048;

  struct Partial {
    double loss = 0;
    detail::RowMatrix residual;
    Eigen::MatrixXf gradient;
  };
  struct Pair {
    SoftmaxWeights moved, changed;
    double curvature;
  };

  void factorise(double decay) {
    if (bound_.size() == 0) return;
    Eigen::MatrixXd matrix = bound_;
    // A constant dimension has no curvature of its own.
    matrix.diagonal().array() += std::max(decay, 1e-8);
    factor_.compute(matrix);
  }

  [[nodiscard]] SoftmaxWeights precondition(SoftmaxWeights const& v) const {
    SoftmaxWeights result = 2 * v;  // for standardised features, and the bias
    Index const dims = data_.features.dims;
    if (bound_.size() != 0) result.topRows(dims) = factor_.solve(v.topRows(dims));
    return result;
  }

  [[nodiscard]] SoftmaxWeights inverse_hessian_times(SoftmaxWeights q,
                                                     std::deque<Pair> const& history) const {
    std::vector<double> alpha(history.size());
    for (std::size_t i = history.size(); i-- > 0;) {
      alpha[i] = history[i].moved.cwiseProduct(q).sum() / history[i].curvature;
      q -= alpha[i] * history[i].changed;
    }
    q = precondition(q);
    if (!history.empty()) {
      Pair const& last = history.back();
      q *= last.curvature / last.changed.cwiseProduct(precondition(last.changed)).sum();
    }
    for (std::size_t i = 0; i < history.size(); ++i) {
      double const beta = history[i].changed.cwiseProduct(q).sum() / history[i].curvature;
      q += (alpha[i] - beta) * history[i].moved;
    }
    return q;
  }

  Labelled data_;
  int classes_;
  ThreadPool* pool_;
  Index pieces_;
  std::vector<Partial> partial_;
  Eigen::MatrixXd bound_;
  Eigen::LLT<Eigen::MatrixXd> factor_;
};

}  // namespace diffsiam::eval
