// The errors of a partition, one function each. The functions are not constexpr. A compiler that reaches one
// while it evaluates a constexpr partition stops and prints its name, so the name is the error message. At
// run time each function throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam::encoder::partition_error {

[[noreturn]] inline void a_partition_needs_at_least_one_subset(int subsets) {
  fail<ConfigError>("TimestepPartition", "at least 1 subset", subsets);
}

[[noreturn]] inline void subsets_must_not_exceed_timesteps(int subsets, int timesteps) {
  fail<ConfigError>("TimestepPartition", {"no more subsets than the ", timesteps, " time-steps"},
                    {subsets, " subsets"});
}

[[noreturn]] inline void subsets_must_not_exceed_latent_dims(int subsets, int dims) {
  fail<ConfigError>("TimestepPartition", {"no more subsets than the ", dims, " dims of z"},
                    {subsets, " subsets"}, "every subset needs a dim of its own");
}

[[noreturn]] inline void too_many_subsets_to_hold(std::size_t subsets, int most) {
  fail<ConfigError>("TimestepPartition", {"at most ", most, " subsets"}, subsets);
}

[[noreturn]] inline void subset_ends_must_ascend(std::size_t subset, int previous, int end) {
  fail<ConfigError>("TimestepPartition::from_ends", {"subset ", subset, " to end after dim ", previous},
                    {"the end ", end}, "every subset needs a dim of its own");
}

[[noreturn]] inline void stages_must_end_at_ascending_steps(std::size_t stage, int previous, int end_step) {
  fail<ConfigError>("TimestepPartition::staged", {"stage ", stage, " to end after step ", previous},
                    {"end_step ", end_step});
}

[[noreturn]] inline void the_last_stage_must_end_at_timesteps(int timesteps, int end_step) {
  fail<ConfigError>("TimestepPartition::staged", {"stages that end at T = ", timesteps},
                    {"a last end_step of ", end_step});
}

[[noreturn]] inline void stage_dims_must_sum_to_latent_dims(int dims, std::int64_t sum) {
  fail<ConfigError>("TimestepPartition::staged", {"stages whose dims sum to the ", dims, " of z"},
                    {"a sum of ", sum});
}

[[noreturn]] inline void a_stage_must_hold_at_least_one_subset(std::size_t stage, int end_step) {
  fail<ConfigError>("TimestepPartition::staged",
                    {"a subset whose first step lies in stage ", stage, " (before step ", end_step, ")"},
                    "none", "more subsets, or fewer and longer stages");
}

[[noreturn]] inline void a_stage_must_have_at_least_as_many_dims_as_subsets(std::size_t stage, int dims,
                                                                            int subsets) {
  fail<ConfigError>("TimestepPartition::staged",
                    {"at least ", subsets, " dims for the ", subsets, " subsets of stage ", stage},
                    {dims, " dims"}, "a subset would be empty");
}

[[noreturn]] inline void time_step_out_of_range(int t, int timesteps) {
  fail<RangeError>("TimestepPartition", {"a time-step in [0, ", timesteps, ")"}, t);
}

[[noreturn]] inline void subset_out_of_range(int subset, int subsets) {
  fail<RangeError>("TimestepPartition", {"a subset in [0, ", subsets, ")"}, subset);
}

}  // namespace diffsiam::encoder::partition_error
