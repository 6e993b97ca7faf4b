// SimSiam (Chen and He, 2021, arXiv 2011.10566): -cos(p_1, sg z_2)/2 - cos(p_2, sg z_1)/2, where sg stops the
// gradient.
#pragma once

#include <diffsiam/ops/normalize.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::loss {

/// p: predictions, z: projections, of view 1 and of view 2, all (n, d) -> rank 0, in [-1, 1].
struct SimSiam {
  template <FlowingValue P, FlowingValue Z>
  [[nodiscard]] auto operator()(P const& p_1, P const& p_2, Z const& z_1, Z const& z_2) const {
    return ops::linear_combination(-0.5, ops::mean_cosine_similarity(p_1, detach(z_2)), -0.5,
                                   ops::mean_cosine_similarity(p_2, detach(z_1)));
  }
};

}  // namespace diffsiam::loss
