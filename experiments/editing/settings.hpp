// Sizes of what experiments/edit_pictures.cpp makes and measures. With the defaults it ends in about three
// minutes on two cores.
#pragma once

#include <cstdint>

#include <nlohmann/json.hpp>

#include <diffsiam/core/shape.hpp>

namespace example {

namespace ds = diffsiam;

struct EditSettings {
  std::uint64_t seed = 0;
  int sampling_steps = 20;   ///< of DDIM, to noise and back
  ds::Index pictures = 128;  ///< test pictures that are rebuilt, and samples of each kind
  ds::Index edited = 40;     ///< of these, how many are edited and interpolated
  ds::Index chosen_on = 20;  ///< validation pictures by which an edit's strength is chosen
  ds::Index known = 5000;    ///< training pictures whose z directions and latent diffusion are learned from
  ds::Index shown = 8;       ///< pictures in a row of the report
  int segments = 4;          ///< runs of subsets that counterfactuals exchange
  ds::Index kept = 16;       ///< dims that a learned mask lets through
  std::uint64_t judge_steps = 800, latent_steps = 600;

  [[nodiscard]] nlohmann::ordered_json json() const {
    return {{"seed", seed},
            {"sampling_steps", sampling_steps},
            {"pictures", pictures},
            {"edited", edited},
            {"chosen_on", chosen_on},
            {"known", known},
            {"segments", segments},
            {"kept", kept},
            {"judge_steps", judge_steps},
            {"latent_steps", latent_steps}};
  }
};

}  // namespace example
