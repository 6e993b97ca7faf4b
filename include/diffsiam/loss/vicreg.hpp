// VICReg (Bardes, Ponce and LeCun, 2022, arXiv 2105.04906): the projections of two views are pulled together,
// while each dim keeps its spread and tells what no other dim tells. So nothing is compared with other
// pictures, and nothing collapses.
#pragma once

#include <cmath>

#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/diagonal.hpp>
#include <diffsiam/ops/gather_pieces.hpp>
#include <diffsiam/ops/matmul.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::loss {

/// invariance s(z_1, z_2) + variance (v(z_1) + v(z_2))/2 + covariance (c(z_1) + c(z_2)), where
/// - s is the mean squared error,
/// - v the mean over dims of max(0, 1 - sqrt(var + 1e-4)) (eq. 1),
/// - c the sum of the squared covariances of two different dims, divided by d (eq. 4),
/// and var and the covariances divide by n - 1. The paper writes s as a sum over dims and v without the half
/// (eq. 5 and 6); its published weights belong to the means that stand here, as in the authors' program.
class VicReg {
 public:
  /// The weights of the three terms: finite and >= 0.
  struct Config {
    double invariance = 25;  ///< of the mean squared error between the views
    double variance = 25;    ///< of what each dim lacks of a deviation of 1
    double covariance = 1;   ///< of the squared covariances of different dims
  };

  /// The published weights.
  VicReg() : VicReg(Config{}) {}
  /// Throws ConfigError for a weight that is negative or not finite.
  explicit VicReg(Config const& config) : config_(config) {
    for (double weight : {config.invariance, config.variance, config.covariance})
      if (!(weight >= 0 && std::isfinite(weight))) fail<ConfigError>("VicReg", "finite weights >= 0", weight);
  }

  /// Projections of view 1 and of view 2, both (n, d), n >= 2 -> rank 0. Of a batch in pieces, this is the
  /// loss of the whole batch. Throws ShapeError for other shapes.
  template <FlowingValue Z>
  [[nodiscard]] auto operator()(Z const& z_1, Z const& z_2) const {
    require_rank("VicReg", 2, z_1.shape(), "(n, d)");
    require_shape("VicReg", z_1.shape(), z_2.shape(), "view 2 has the shape of view 1");
    auto* const joint = joint_of(z_1);
    auto const all_1 = ops::gather_pieces(z_1, joint), all_2 = ops::gather_pieces(z_2, joint);
    if (all_1.shape().samples() < 2) fail<ShapeError>("VicReg", "(n, d) with n >= 2", z_1.shape());
    auto const apart = ops::add(of_view(all_1), of_view(all_2));
    return ops::linear_combination(config_.invariance, MeanSquaredError{}(all_1, all_2), 1, apart);
  }

 private:
  /// variance v(z)/2 + covariance c(z), of all rows of one view, (n, d).
  template <FlowingValue Z>
  [[nodiscard]] auto of_view(Z const& z) const {
    using B = typename Z::Backend;
    Index const n = z.shape()[0], d = z.shape()[1];
    // The mean gets no gradient: over centred rows it adds up to 0.
    auto const centred = ops::subtract(z, detach(ops::mean(z, 0)));
    auto const products = ops::scale(ops::matmul(centred, centred, {.transpose_a = true}),
                                     1 / static_cast<double>(n - 1));  // (d, d)
    auto const deviation = ops::sqrt(ops::affine(ops::diagonal(products), 1, 1e-4));
    auto const hinge = ops::mean(ops::relu(ops::affine(deviation, -1, 1)));
    auto const others = ops::multiply(products, without_diagonal<B>(z.context(), d));
    return ops::linear_combination(config_.variance / 2, hinge, config_.covariance / static_cast<double>(d),
                                   ops::sum(ops::multiply(others, others)));
  }
  /// (d, d): 0 on the diagonal, 1 elsewhere.
  template <class B>
  [[nodiscard]] static Tensor<B> without_diagonal(typename B::Context& context, Index d) {
    using T = typename B::Scalar;
    auto mask = Tensor<B>::filled(context, {d, d}, 1);
    B::for_each(context, Grid{{1, 1, 1, d, 1}}, functional::Assign<T>{0},
                Operand<T, 0>{mask.data(), {0, 0, 0, d + 1, 0}});
    return mask;
  }

  Config config_;
};

}  // namespace diffsiam::loss
