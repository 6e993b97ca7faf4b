// GuidedNoise: the prediction of a shift decoder for samplers, eps_theta(x, t) + scale c_t G(x, t, reveal(z,
// t)).
#pragma once

#include <utility>

#include <diffsiam/diffusion/sampler.hpp>
#include <diffsiam/encoder/reveal.hpp>

namespace diffsiam::model {

/// The coefficient of G: -sqrt(1 - abar) as in DDIM, or c_t = -sqrt(alpha)(1 - abar_{t-1})/sqrt(1 - abar) as
/// in training.
enum class ShiftCoefficient { ddim, posterior };

/// How strongly, and until when, z steers a decode.
struct Guidance {
  ShiftCoefficient coefficient = ShiftCoefficient::ddim;  ///< of G
  double scale = 1;                                       ///< on G
  int unguided_last_steps = 0;                            ///< of a decode; in these steps G is not computed
};

/// z (n, dims) is masked by the partition at every step; with k = 1 all of it is always revealed. The shift
/// is a shift of eps, so a schedule with zero terminal SNR is a ConfigError.
template <class Decoder, class B>
class GuidedNoise {
 public:
  static constexpr bool leaves_weights_alone = diffusion::leaves_weights_alone<Decoder>;

  /// Throws ConfigError for zero terminal SNR and negative steps, ShapeError for a z of another width.
  GuidedNoise(Decoder const& decoder, diffusion::NoiseSchedule schedule,
              encoder::TimestepPartition const& partition, Tensor<B> z, Guidance guidance = {})
      : decoder_(decoder),
        schedule_(std::move(schedule)),
        partition_(partition),
        z_(std::move(z)),
        guidance_(guidance) {
    schedule_.require_signal("GuidedNoise");
    require_shape("GuidedNoise", {z_.shape().samples(), partition.dims()}, z_.shape(),
                  "z is as wide as its partition");
    if (guidance.unguided_last_steps < 0) {
      fail<ConfigError>("GuidedNoise", "unguided_last_steps of 0 or more", guidance.unguided_last_steps);
    }
  }

  [[nodiscard]] Tensor<B> operator()(Tensor<B> const& x, Tensor<B> const& t,
                                     diffusion::SamplerStep step) const {
    if (step.remaining <= guidance_.unguided_last_steps) return decoder_.without_latent(x, t);
    auto const [eps, gradient] = decoder_(x, t, encoder::reveal(partition_, z_, t));
    return ops::linear_combination(1, eps, guidance_.scale * coefficient(step.t), gradient);
  }

 private:
  [[nodiscard]] double coefficient(int t) const {
    auto const table = guidance_.coefficient == ShiftCoefficient::ddim ? schedule_.ddim_shift_coef()
                                                                       : schedule_.shift_coef();
    return table[static_cast<std::size_t>(t)];
  }

  Decoder decoder_;
  diffusion::NoiseSchedule schedule_;
  encoder::TimestepPartition partition_;
  Tensor<B> z_;
  Guidance guidance_;
};

}  // namespace diffsiam::model
