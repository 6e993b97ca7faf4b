// Sizes of what edit_pictures makes and measures. With the defaults it ends in about three minutes on two
// cores.
#pragma once

#include <cstdint>

#include <diffsiam/core/shape.hpp>

namespace experiments {

namespace ds = diffsiam;

struct EditSettings {
  std::uint64_t seed = 0;
  int sampling_steps = 20;
  ds::Index pictures = 128;
  ds::Index edited = 40;
  ds::Index chosen_on = 20;
  ds::Index known = 5000;
  int segments = 4;
  ds::Index kept = 16;
  double least_accuracy = 0.95;
  std::uint64_t judge_steps = 800, latent_steps = 600;

  static constexpr ds::Index shown = 8;  ///< pictures in a row of the report

  /// See ../settings.hpp.
  template <class Self, class F>
  static void for_each_setting(Self& self, F&& f) {
    f("seed", self.seed, 0, 9'223'372'036'854'775'807, "of noise, judge and latent diffusion");
    f("sampling_steps", self.sampling_steps, 1, 999, "of DDIM, to noise and back");
    f("pictures", self.pictures, 2, 5000, "that are rebuilt, and samples of each kind");
    f("edited", self.edited, 1, 5000, "of these, that are edited and interpolated");
    f("chosen_on", self.chosen_on, 1, 2000, "validation pictures for an edit's strength");
    f("known", self.known, 2, 55000, "training pictures whose z is learned from, or all there are");
    f("segments", self.segments, 1, 16, "of subsets, for counterfactuals");
    f("kept", self.kept, 1, 64, "dims that a learned mask lets through");
    f("least_accuracy", self.least_accuracy, 0, 1,
      "of the judge on test pictures, for a factor to count in the edits");
    f("judge_steps", self.judge_steps, 1, 1'000'000'000, "of training");
    f("latent_steps", self.latent_steps, 1, 1'000'000'000, "of training");
  }
};

}  // namespace experiments
