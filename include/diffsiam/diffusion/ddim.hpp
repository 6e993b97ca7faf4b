// DDIM (Song et al., 2021, arXiv 2010.02502): from noise to image in few steps, and from image to noise. One
// grid serves both directions.
//   x_0^ = clip((x - sqrt(1 - abar) eps)/sqrt(abar)),  eps' = (x - sqrt(abar) x_0^)/sqrt(1 - abar)
//   x' = sqrt(abar') x_0^ + sqrt(1 - abar' - sigma^2) eps' + sigma noise
// From v and x_0 prediction, x_0^ is computed directly.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <diffsiam/diffusion/sampler.hpp>
#include <diffsiam/diffusion/time_grid.hpp>

namespace diffsiam::diffusion {

/// How DDIM steps.
struct DdimOptions {
  double eta = 0;    ///< 0: deterministic; 1: as much noise as DDPM adds
  bool clip = true;  ///< clip x_0^ to [-1, 1]; off for latents
  Rng rng{};         ///< of the noise, where eta > 0; draws differ by seed or stream, its step is not read
};

namespace detail {

/// The standard deviation of the noise that a hop towards the image adds.
[[nodiscard]] inline double ddim_sigma(Hop const& hop, double eta) {
  if (eta == 0 || hop.abar_to <= hop.abar_from) return 0;
  return eta * std::sqrt((1 - hop.abar_to) / (1 - hop.abar_from) * (1 - hop.abar_from / hop.abar_to));
}

/// A hop without its noise.
template <class T>
[[nodiscard]] functional::DirectHop<T> ddim_hop(Hop const& hop, PredictionTarget target,
                                                DdimOptions const& options) {
  double const sigma = ddim_sigma(hop, options.eta);
  return {read_at<T>("ddim", target, hop.t, hop.abar_from, options.clip),
          static_cast<T>(std::sqrt(hop.abar_to)),
          static_cast<T>(std::sqrt(std::max(0.0, 1 - hop.abar_to - sigma * sigma)))};
}

/// Moves x over one hop. For eps prediction eps' is recomputed at every pixel, as published, unless there is
/// so little noise that this would lose ten bits.
template <class B, class T>
void take_hop(functional::DirectHop<T> const& hop, Tensor<B> const& x, Tensor<B> const& prediction) {
  constexpr T least_noise = T(1) / 1024;
  if (hop.clean.target == PredictionTarget::eps && hop.clean.s >= least_noise)
    for_each_element(functional::DdimHop<T>{clean_image(hop.clean), hop.a_to, hop.direction}, x, prediction);
  else
    for_each_element(hop, x, prediction);
}

}  // namespace detail

/// Moves from `start` over the hops, with one evaluation of the predictor for each. Sampling, encoding and
/// previews share this function. `start` is not changed; the result has its shape. Throws ConfigError before
/// the first evaluation if a hop begins at abar = 0 with eps prediction, or at abar = 1 with x_0 prediction.
template <class B, class P, class Progress>
[[nodiscard]] Tensor<B> follow_hops(std::span<Hop const> hops, Tensor<B> const& start, P const& predict,
                                    DdimOptions const& options, Progress const& progress) {
  using T = typename B::Scalar;
  PredictionTarget const target = target_of<B>(predict);
  std::vector<functional::DirectHop<T>> steps;
  for (Hop const& hop : hops) steps.push_back(detail::ddim_hop<T>(hop, target, options));
  Tensor<B> const x = detail::working_copy(start);
  [[maybe_unused]] auto const kept = keep_prepacked_weights(x.context(), weights_while_sampling<P, Progress>);
  int const count = static_cast<int>(hops.size());
  for (int done = 0; done < count; ++done) {
    auto const at = static_cast<std::size_t>(done);
    Tensor<B> const t = same_timestep<B>(x.context(), x.shape().samples(), hops[at].t);
    Tensor<B> const prediction = predict(x, t, SamplerStep{hops[at].t, count - done}).full_precision();
    require_shape("ddim", x.shape(), prediction.shape(), "a predictor returns a tensor of x's shape");
    detail::take_hop(steps[at], x, prediction);
    if (double const sigma = detail::ddim_sigma(hops[at], options.eta); sigma > 0)
      detail::add_normal(x, sigma, stream_of(options.rng, Stream::sampling).at_step(at));
    progress(done + 1, count);
  }
  return x;
}

namespace detail {

inline void require_eta(double eta) {
  if (!(eta >= 0 && eta <= 1)) fail<ConfigError>("ddim", "0 <= eta <= 1", eta);
}

}  // namespace detail

/// x_T (n, ...) -> x_0. Throws ConfigError for eta outside [0, 1], for a grid of another schedule, and for
/// eps prediction if a hop begins at abar = 0.
template <class B, class P, class Progress = NoProgress>
[[nodiscard]] Tensor<B> ddim_sample(NoiseSchedule const& schedule, TimeGrid const& grid, Tensor<B> const& x_T,
                                    P const& predict, DdimOptions const& options = {},
                                    Progress const& progress = {}) {
  detail::require_eta(options.eta);
  auto const hops = grid.decode(schedule);
  return follow_hops<B>(hops, x_T, predict, options, progress);
}

/// x_0 (n, ...) -> x_T, deterministic. Throws the same errors, and ConfigError for eta other than 0.
template <class B, class P, class Progress = NoProgress>
[[nodiscard]] Tensor<B> ddim_encode(NoiseSchedule const& schedule, TimeGrid const& grid, Tensor<B> const& x_0,
                                    P const& predict, DdimOptions const& options = {},
                                    EncodeEnd end = EncodeEnd::stay_on_grid, Progress const& progress = {}) {
  if (options.eta != 0)
    fail<ConfigError>("ddim_encode", "eta = 0: only the deterministic process can be inverted", options.eta);
  auto const hops = grid.encode(schedule, end);
  return follow_hops<B>(hops, x_0, predict, options, progress);
}

}  // namespace diffsiam::diffusion
