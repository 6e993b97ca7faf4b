// A loss of the user's own: Barlow Twins (Zbontar et al., 2021, arXiv 2103.03230, eq. 1).
#pragma once

#include <diffsiam/diffsiam.hpp>

struct BarlowTwins {
  double lambda = 0.005;

  /// z_1 and z_2 (n, d), the codes of two views -> rank 0.
  template <diffsiam::FlowingValue Z>
  [[nodiscard]] auto operator()(Z const& z_1, Z const& z_2) const {
    namespace ops = diffsiam::ops;
    auto const product = ops::matmul(standardised(z_1), standardised(z_2), {.transpose_a = true});
    auto const c = product / z_1.shape().samples();  // (d, d)
    auto const same = ops::diagonal(c);
    auto const others = ops::sum(ops::pow(c, 2)) - ops::sum(ops::pow(same, 2));
    return ops::sum(ops::pow(1 - same, 2)) + lambda * others;
  }

 private:
  template <class Z>
  static auto standardised(Z const& z) {
    namespace ops = diffsiam::ops;
    auto const centred = z - ops::mean(z, 0);
    return centred / ops::sqrt(ops::mean(ops::pow(centred, 2), 0) + 1e-6);  // (n, d)
  }
};
