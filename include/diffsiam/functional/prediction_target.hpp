// What the output of a denoiser stands for. Its relations to x_t: diffusion/prediction.hpp.
#pragma once

#include <string_view>

namespace diffsiam::functional {

enum class PredictionTarget { eps, x_0, v };

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
