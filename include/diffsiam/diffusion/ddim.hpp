// DDIM (Song et al., 2021, arXiv 2010.02502): from noise to image in few steps, and back. One grid serves
// both ways.
//   x_0^ = clip((x - sqrt(1 - abar) eps)/sqrt(abar)),  x' = sqrt(abar') x_0^ + sqrt(1 - abar' - sigma^2) eps'
//   + sigma noise
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include <diffsiam/diffusion/sampler.hpp>
#include <diffsiam/diffusion/time_grid.hpp>
#include <diffsiam/tensor/keep_kernels.hpp>

namespace diffsiam::diffusion {

struct DdimOptions {
  double eta = 0;    ///< 0: deterministic; 1: as much noise as DDPM adds
  bool clip = true;  ///< x_0^ to [-1, 1]; off for latents
  Rng rng{};         ///< of the noise, where eta > 0
};

/// From `start` over the hops, one evaluation of the predictor each: what sampling, encoding and previews
/// share. `start` is not changed; the result has its shape.
template <class B, NoisePredictor<B> P, class Progress>
[[nodiscard]] Tensor<B> follow_hops(std::span<Hop const> hops, Tensor<B> const& start, P const& predict,
                                    DdimOptions const& options, Progress const& progress) {
  using T = typename B::Scalar;
  Tensor<B> const x = detail::working_copy(start);
  [[maybe_unused]] auto const kept = keep_kernels(x.context());  // no weights change on the way
  SampleGrid const all{1, 1, x.size()};
  int const count = static_cast<int>(hops.size());
  for (int done = 0; done < count; ++done) {
    Hop const& hop = hops[static_cast<std::size_t>(done)];
    Tensor<B> const t = same_timestep<B>(x.context(), x.shape().samples(), hop.t);
    Tensor<B> const eps = predict(x, t, SamplerStep{hop.t, count - done}).widened();
    require_shape("ddim", x.shape(), eps.shape(), "a predictor returns eps of x's shape");
    double const sigma = options.eta == 0 || hop.abar_to <= hop.abar_from
                             ? 0
                             : options.eta * std::sqrt((1 - hop.abar_to) / (1 - hop.abar_from) *
                                                       (1 - hop.abar_from / hop.abar_to));
    double const direction = std::sqrt(std::max(0.0, 1 - hop.abar_to - sigma * sigma));
    B::for_each(x.context(), all.grid(),
                functional::DdimHop<T>{detail::clean_image<T>(hop.abar_from, options.clip),
                                       static_cast<T>(std::sqrt(hop.abar_to)), static_cast<T>(direction)},
                all.full(x.data()), all.full(eps.data()));
    if (sigma > 0)
      detail::add_normal(x, sigma,
                         stream_of(options.rng, Stream::sampling).at_step(static_cast<std::uint64_t>(done)));
    progress(done + 1, count);
  }
  return x;
}

namespace detail {

inline void require_eta(double eta) {
  if (!(eta >= 0 && eta <= 1)) fail<ConfigError>("ddim", "0 <= eta <= 1", eta);
}

}  // namespace detail

/// x_T (n, ...) -> x_0. Throws ConfigError for eta outside [0, 1] or a grid of another schedule.
template <class B, NoisePredictor<B> P, class Progress = NoProgress>
[[nodiscard]] Tensor<B> ddim_sample(NoiseSchedule const& schedule, TimeGrid const& grid, Tensor<B> const& x_T,
                                    P const& predict, DdimOptions const& options = {},
                                    Progress const& progress = {}) {
  detail::require_eta(options.eta);
  auto const hops = grid.decode(schedule);
  return follow_hops<B>(hops, x_T, predict, options, progress);
}

/// x_0 (n, ...) -> x_T, deterministic. Throws as above, and for eta other than 0.
template <class B, NoisePredictor<B> P, class Progress = NoProgress>
[[nodiscard]] Tensor<B> ddim_encode(NoiseSchedule const& schedule, TimeGrid const& grid, Tensor<B> const& x_0,
                                    P const& predict, DdimOptions const& options = {},
                                    EncodeEnd end = EncodeEnd::stay_on_grid, Progress const& progress = {}) {
  if (options.eta != 0)
    fail<ConfigError>("ddim_encode", "eta = 0: only the deterministic process has a way back", options.eta);
  auto const hops = grid.encode(schedule, end);
  return follow_hops<B>(hops, x_0, predict, options, progress);
}

}  // namespace diffsiam::diffusion
