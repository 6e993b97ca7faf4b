// NT-Xent (SimCLR: Chen et al., 2020, arXiv 2002.05709, eq. 1): each view must identify its partner among the
// other 2n - 1.
#pragma once

#include <cmath>
#include <limits>

#include <diffsiam/ops/cross_entropy.hpp>
#include <diffsiam/ops/gather_pieces.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/normalize.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::loss {

/// Throws ConfigError unless the temperature is positive and finite.
class NtXent {
 public:
  /// The published temperature is 0.5; lower ones look at the nearest negatives more.
  explicit NtXent(double temperature = 0.5) : temperature_(temperature) {
    if (!(temperature > 0 && std::isfinite(temperature)))
      fail<ConfigError>("NtXent", "a positive, finite temperature", temperature);
  }

  /// h (2n, d): n projections of view 1, then those of view 2, n >= 2 -> rank 0. A row of zeros has cosine 0
  /// with all others, and gets no gradient. Of a batch in pieces, this is the mean over the rows of one
  /// piece, whose others are all rows of the batch.
  template <FlowingValue H>
  [[nodiscard]] auto operator()(H const& h) const {
    using B = typename H::Backend;
    require_rank("NtXent", 2, h.shape(), "(2 n, d)");
    Index const rows = h.shape().samples();
    if (rows % 2 != 0 || rows < 4) {
      fail<ShapeError>("NtXent", "(2 n, d) with n >= 2: view 1, then view 2", h.shape());
    }
    using T = typename B::Scalar;
    if (!(1 / temperature_ <= static_cast<double>(std::numeric_limits<T>::max() / 4)))
      fail<ConfigError>("NtXent", "a temperature whose inverse the scalar type can hold",
                        {"1 / temperature = ", 1 / temperature_});
    auto const unit = ops::normalize(h);
    auto* const joint = joint_of(h);
    auto const all = ops::gather_pieces(unit, joint);  // (2 n pieces, d)
    Index const columns = all.shape().samples(), first = joint == nullptr ? 0 : joint->piece() * rows;
    auto const similarity = ops::scale(ops::linear(unit, all), 1 / temperature_);  // (2 n, 2 n pieces)
    // -infinity, so that a row excludes itself at any temperature: e^-infinity is 0, and so is its gradient.
    auto const without_self = ops::add(
        similarity, diagonal<B>(h.context(), rows, columns, first, 0, -std::numeric_limits<T>::infinity()));
    return ops::softmax_cross_entropy(without_self,
                                      diagonal<B>(h.context(), rows, columns, first, rows / 2, T(1)));
  }

 private:
  /// (rows, columns), with `value` at (i, first + (i + shift mod rows)) and 0 elsewhere.
  template <class B>
  static Tensor<B> diagonal(typename B::Context& context, Index rows, Index columns, Index first, Index shift,
                            typename B::Scalar value) {
    using T = typename B::Scalar;
    Tensor<B> result = Tensor<B>::zeros(context, {rows, columns});
    auto const set = [&](Index from, Index count, Index column) {
      B::for_each(context, Grid{{1, 1, 1, count, 1}}, functional::Assign<T>{value},
                  Operand<T, 0>{result.data() + from * columns + first + column, {0, 0, 0, columns + 1, 0}});
    };
    set(0, rows - shift, shift);
    if (shift > 0) set(rows - shift, shift, 0);
    return result;
  }

  double temperature_;
};

}  // namespace diffsiam::loss
