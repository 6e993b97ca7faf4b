// The loss of the latent model: mean over n and dims of |eps - prediction| (Diff-AE, arXiv 2111.15640). Its
// optimum is a median, where that of the squared error is a mean. So single dims far from the rest weigh
// less, and so does a rarer mode: of two modes, one with a share of 0.3 is sampled with 0.19. loss::Noise
// keeps the shares.
#pragma once

#include <diffsiam/diffusion/noising.hpp>
#include <diffsiam/ops/weighted_error.hpp>

namespace diffsiam::loss {

/// The loss of a denoiser that predicts eps; every time-step has the same weight.
struct LatentNoise {
  /// eps (n, dims) -> rank 0.
  template <FlowingValue Eps, class B>
  [[nodiscard]] auto operator()(Eps const& eps, diffusion::Noised<B> const& noised) const {
    auto const alike = Tensor<B>::filled(noised.t.context(), noised.t.shape(), 1);
    return ops::weighted_error<functional::AbsoluteError>(eps, noised.noise, alike);
  }
};

}  // namespace diffsiam::loss
