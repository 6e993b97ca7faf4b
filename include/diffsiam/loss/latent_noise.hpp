// The loss of the latent model: mean over n and dims of |eps - prediction| (Diff-AE, arXiv 2111.15640). A
// median answers it where a mean answers the squared one: single dims far off the bulk weigh less, and so
// does a rarer mode: of two, one that holds .3 is sampled at .19. loss::Noise keeps the shares.
#pragma once

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/ops/weighted_error.hpp>

namespace diffsiam::loss {

/// Of a denoiser that predicts eps; every time-step weighs the same.
struct LatentNoise {
  /// eps (n, dims) -> rank 0.
  template <FlowingValue Eps, class B>
  [[nodiscard]] auto operator()(Eps const& eps, diffusion::Noised<B> const& noised) const {
    auto const alike = Tensor<B>::filled(noised.t.context(), noised.t.shape(), 1);
    return ops::weighted_error<functional::AbsoluteError>(eps, noised.noise, alike);
  }
};

}  // namespace diffsiam::loss
