// What can be wrong with a partition, one function each. They are not constexpr: a compiler that meets one
// while it evaluates a constexpr partition stops and names it, so the name is the sentence; at run time each
// throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <diffsiam/core/error.hpp>

namespace diffsiam::encoder::partition_error {

[[noreturn]] inline void a_partition_needs_at_least_one_subset(int subsets) {
  fail<ConfigError>("TimestepPartition", "at least 1 subset", std::to_string(subsets));
}

[[noreturn]] inline void subsets_must_not_exceed_timesteps(int subsets, int timesteps) {
  fail<ConfigError>("TimestepPartition",
                    "no more subsets than the " + std::to_string(timesteps) + " time-steps",
                    std::to_string(subsets) + " subsets");
}

[[noreturn]] inline void subsets_must_not_exceed_latent_dims(int subsets, int dims) {
  fail<ConfigError>("TimestepPartition", "no more subsets than the " + std::to_string(dims) + " dims of z",
                    std::to_string(subsets) + " subsets", "every subset needs a dim of its own");
}

[[noreturn]] inline void too_many_subsets_to_hold(int subsets, int most) {
  fail<ConfigError>("TimestepPartition", "at most " + std::to_string(most) + " subsets",
                    std::to_string(subsets));
}

[[noreturn]] inline void stages_must_end_at_ascending_steps(std::size_t stage, int previous, int end_step) {
  fail<ConfigError>("TimestepPartition::staged",
                    "stage " + std::to_string(stage) + " to end after step " + std::to_string(previous),
                    "end_step " + std::to_string(end_step));
}

[[noreturn]] inline void the_last_stage_must_end_at_timesteps(int timesteps, int end_step) {
  fail<ConfigError>("TimestepPartition::staged", "stages that end at T = " + std::to_string(timesteps),
                    "a last end_step of " + std::to_string(end_step));
}

[[noreturn]] inline void stage_dims_must_sum_to_latent_dims(int dims, std::int64_t sum) {
  fail<ConfigError>("TimestepPartition::staged",
                    "stages whose dims sum to the " + std::to_string(dims) + " of z",
                    "a sum of " + std::to_string(sum));
}

[[noreturn]] inline void a_stage_must_hold_at_least_one_subset(std::size_t stage, int end_step) {
  fail<ConfigError>("TimestepPartition::staged",
                    "a subset whose first step lies in stage " + std::to_string(stage) + " (before step " +
                        std::to_string(end_step) + ")",
                    "none", "more subsets, or fewer and longer stages");
}

[[noreturn]] inline void a_stage_must_have_at_least_as_many_dims_as_subsets(std::size_t stage, int dims,
                                                                            int subsets) {
  fail<ConfigError>("TimestepPartition::staged",
                    "at least " + std::to_string(subsets) + " dims for the " + std::to_string(subsets) +
                        " subsets of stage " + std::to_string(stage),
                    std::to_string(dims) + " dims", "a subset would be empty");
}

[[noreturn]] inline void time_step_out_of_range(int t, int timesteps) {
  fail<RangeError>("TimestepPartition", "a time-step in [0, " + std::to_string(timesteps) + ")",
                   std::to_string(t));
}

[[noreturn]] inline void subset_out_of_range(int subset, int subsets) {
  fail<RangeError>("TimestepPartition", "a subset in [0, " + std::to_string(subsets) + ")",
                   std::to_string(subset));
}

}  // namespace diffsiam::encoder::partition_error
