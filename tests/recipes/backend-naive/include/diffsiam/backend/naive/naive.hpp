// Naive: Reference with products of its own, one dot product an element.
#pragma once

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/concepts/backend.hpp>
#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend {

template <class T>
struct Naive : Reference<T> {
  using typename Reference<T>::Context;
  using Brings = typename Reference<T>::Brings;

  static void gemm(Context&, Gemm<T> const& g) {
    auto const at = [](auto const& matrix, Index outer, Index inner, Index row, Index column) -> auto& {
      Index const offset = matrix.transposed ? column * matrix.leading + row : row * matrix.leading + column;
      return matrix.data[outer * matrix.outer_stride + inner * matrix.inner_stride + offset];
    };
    for (Index outer = 0; outer < g.batch_outer; ++outer)
      for (Index inner = 0; inner < g.batch_inner; ++inner)
        for (Index i = 0; i < g.m; ++i)
          for (Index j = 0; j < g.n; ++j) {
            T sum = 0;
            for (Index k = 0; k < g.k; ++k) sum += at(g.a, outer, inner, i, k) * at(g.b, outer, inner, k, j);
            T& c = at(g.c, outer, inner, i, j);
            c = g.alpha * sum + (g.accumulate ? c : T(0));
          }
  }
};

static_assert(Backend<Naive<double>>);

}  // namespace diffsiam::backend
