// PredictionTarget: what the output of a denoiser is. diffusion/prediction.hpp relates it to x_t.
#pragma once

#include <string_view>

namespace diffsiam::functional {

/// eps is the noise, x_0 the clean image, and v = sqrt(abar) eps - sqrt(1 - abar) x_0.
enum class PredictionTarget { eps, x_0, v };

/// "eps", "x_0" or "v".
[[nodiscard]] constexpr std::string_view to_string(PredictionTarget target) {
  switch (target) {
    case PredictionTarget::eps:
      return "eps";
    case PredictionTarget::x_0:
      return "x_0";
    case PredictionTarget::v:
      return "v";
  }
  return "unknown";
}

}  // namespace diffsiam::functional
