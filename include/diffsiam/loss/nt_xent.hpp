// NT-Xent (SimCLR: Chen et al., 2020, arXiv 2002.05709, eq. 1): each view must pick its partner among the
// other 2n - 1.
#pragma once

#include <string>

#include <diffsiam/ops/cross_entropy.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/normalize.hpp>

namespace diffsiam::loss {

/// Throws ConfigError unless the temperature is positive.
class NtXent {
 public:
  explicit NtXent(double temperature = 0.5) : temperature_(temperature) {
    if (!(temperature > 0)) fail<ConfigError>("NtXent", "a positive temperature", temperature);
  }

  /// h (2n, d): n projections of view 1, then those of view 2, n >= 2 -> rank 0.
  template <FlowingValue H>
  [[nodiscard]] auto operator()(H const& h) const {
    using B = typename H::Backend;
    require_rank("NtXent", 2, h.shape(), "(2 n, d)");
    Index const rows = h.shape().samples();
    if (rows % 2 != 0 || rows < 4) {
      fail<ShapeError>("NtXent", "(2 n, d) with n >= 2: view 1, then view 2", h.shape());
    }
    auto const unit = ops::normalize(h);
    auto const similarity = ops::scale(ops::linear(unit, unit), 1 / temperature_);  // (2 n, 2 n)
    auto const without_self =
        ops::add(similarity, diagonal<B>(h.context(), rows, 0, typename B::Scalar(-1e9)));
    return ops::softmax_cross_entropy(without_self,
                                      diagonal<B>(h.context(), rows, rows / 2, typename B::Scalar(1)));
  }

 private:
  /// (rows, rows), `value` at (i, i + shift mod rows), else 0.
  template <class B>
  static Tensor<B> diagonal(typename B::Context& context, Index rows, Index shift, typename B::Scalar value) {
    using T = typename B::Scalar;
    Tensor<B> result = Tensor<B>::zeros(context, {rows, rows});
    auto const set = [&](Index from, Index count, Index column) {
      B::for_each(context, Grid{{1, 1, 1, count, 1}}, functional::Assign<T>{value},
                  Operand<T, 0>{result.data() + from * rows + column, {0, 0, 0, rows + 1, 0}});
    };
    set(0, rows - shift, shift);
    if (shift > 0) set(rows - shift, shift, 0);
    return result;
  }

  double temperature_;
};

}  // namespace diffsiam::loss
