// TimestepPartition: which part of z the decoder may read at which time-step (docs/method.md).
//   t -> i(t) = floor(t k/T), in integers; with e_i the end of subset i in z, [0, e_i) is revealed at t
// DiTi, ICLR 2024, arXiv 2401.11430. k = 1 reveals all of z always: PDAE, arXiv 2212.12990.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include <diffsiam/encoder/partition_error.hpp>

namespace diffsiam::encoder {

/// Which columns of z the loss at t trains.
enum class GradientMode {
  joint,           ///< all revealed dims
  stop_preceding,  ///< the same value, but the newest subset only
  dual             ///< the sum of both losses: two decoder passes on the same t and eps
};

/// "joint", "stop_preceding" or "dual".
[[nodiscard]] constexpr std::string_view to_string(GradientMode mode) {
  switch (mode) {
    case GradientMode::joint:
      return "joint";
    case GradientMode::stop_preceding:
      return "stop_preceding";
    case GradientMode::dual:
      return "dual";
  }
  return "unknown";
}

/// Columns [begin, end) of z.
struct Dims {
  int begin = 0;  ///< the first column
  int end = 0;    ///< the column behind the last
  /// The number of columns.
  [[nodiscard]] constexpr int size() const { return end - begin; }
  [[nodiscard]] constexpr bool operator==(Dims const&) const = default;
};

/// A stage: subsets that share `dims` columns. They are those whose first step is below `end_step` and that
/// belong to no earlier stage.
struct PartitionStage {
  int end_step = 0;  ///< the time-step behind its last one
  int dims = 0;      ///< of all its subsets together
};

/// k subsets of z over T time-steps. The value uses no heap and works in constant expressions. There a wrong
/// partition is a compile error, whose message is the name of a function; elsewhere it is a ConfigError.
class TimestepPartition {
 public:
  /// The most subsets a partition can hold; its size is fixed so that it may be constexpr.
  static constexpr int max_subsets = 1024;

  /// The sizes of a partition.
  struct Config {
    int timesteps = 1000;  ///< T
    int subsets = 1;       ///< k <= T, k <= d
    int dims = 0;          ///< d, the width of z
  };

  /// e_i = floor(d (i+1)/k).
  [[nodiscard]] static constexpr TimestepPartition uniform(Config const& config) {
    TimestepPartition partition(config);
    for (int i = 0; i < config.subsets; ++i) {
      partition.ends_[at(i)] = static_cast<int>(std::int64_t{config.dims} * (i + 1) / config.subsets);
    }
    return partition;
  }

  /// Widths by stage: in a stage of n subsets and D dims each subset gets floor(D/n) dims, and the last one
  /// also the remainder. The stages ascend and end at T, each has at least one subset, and their dims sum to
  /// d.
  [[nodiscard]] static constexpr TimestepPartition staged(Config const& config,
                                                          std::span<PartitionStage const> stages) {
    TimestepPartition partition(config);
    require_stages(config, stages);
    int subset = 0;
    int width = 0;
    for (std::size_t s = 0; s < stages.size(); ++s) {
      int const first = subset;
      while (subset < config.subsets && partition.first_step(subset) < stages[s].end_step) ++subset;
      int const count = subset - first;
      if (count == 0) partition_error::a_stage_must_hold_at_least_one_subset(s, stages[s].end_step);
      if (stages[s].dims < count) {
        partition_error::a_stage_must_have_at_least_as_many_dims_as_subsets(s, stages[s].dims, count);
      }
      int const each = stages[s].dims / count;
      for (int i = 0; i < count; ++i) partition.ends_[at(first + i)] = width + each * (i + 1);
      width += stages[s].dims;
      partition.ends_[at(subset - 1)] = width;
    }
    return partition;
  }
  [[nodiscard]] static constexpr TimestepPartition staged(Config const& config,
                                                          std::initializer_list<PartitionStage> stages) {
    return staged(config, std::span<PartitionStage const>(stages.begin(), stages.size()));
  }

  /// Any widths: the end e_i of each subset in z. The ends ascend from 1 or more, and the last one is d.
  [[nodiscard]] static constexpr TimestepPartition from_ends(int timesteps, std::span<int const> ends) {
    if (ends.size() > at(max_subsets)) partition_error::too_many_subsets_to_hold(ends.size(), max_subsets);
    int const dims = ends.empty() ? 0 : ends.back();
    TimestepPartition partition({timesteps, static_cast<int>(ends.size()), dims});
    int previous = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i] <= previous) partition_error::subset_ends_must_ascend(i, previous, ends[i]);
      partition.ends_[i] = previous = ends[i];
    }
    return partition;
  }

  /// The published widths: T = 1000, k = 64, d = 512, most dims between steps 100 and 300.
  [[nodiscard]] static constexpr TimestepPartition published() {
    return staged({.timesteps = 1000, .subsets = 64, .dims = 512},
                  {{50, 10}, {100, 25}, {300, 327}, {500, 100}, {1000, 50}});
  }

  /// T.
  [[nodiscard]] constexpr int timesteps() const { return timesteps_; }
  /// k.
  [[nodiscard]] constexpr int subsets() const { return subsets_; }
  /// d, the width of z.
  [[nodiscard]] constexpr int dims() const { return dims_; }

  /// i(t), 0 <= t < T; RangeError outside.
  [[nodiscard]] constexpr int subset_of(int t) const {
    if (t < 0 || t >= timesteps_) partition_error::time_step_out_of_range(t, timesteps_);
    return static_cast<int>(std::int64_t{t} * subsets_ / timesteps_);
  }
  /// The first time-step of subset i, ceil(i T/k).
  [[nodiscard]] constexpr int first_step(int subset) const {
    require_subset(subset);
    return static_cast<int>((std::int64_t{subset} * timesteps_ + subsets_ - 1) / subsets_);
  }

  /// e_{i-1}, the first column of subset i.
  [[nodiscard]] constexpr int begin(int subset) const {
    require_subset(subset);
    return subset == 0 ? 0 : ends_[at(subset - 1)];
  }
  /// e_i, one past its last column.
  [[nodiscard]] constexpr int end(int subset) const {
    require_subset(subset);
    return ends_[at(subset)];
  }
  /// [e_{i-1}, e_i).
  [[nodiscard]] constexpr Dims subset_dims(int subset) const { return {begin(subset), end(subset)}; }

  /// What the decoder may read at t: [0, e_i).
  [[nodiscard]] constexpr Dims revealed(int t) const { return {0, end(subset_of(t))}; }
  /// What is new at t: [e_{i-1}, e_i).
  [[nodiscard]] constexpr Dims newest(int t) const { return subset_dims(subset_of(t)); }
  /// What was revealed before: [0, e_{i-1}), empty in the first subset.
  [[nodiscard]] constexpr Dims preceding(int t) const { return {0, begin(subset_of(t))}; }

  /// Called by the module that has this partition.
  template <class F>
  void for_each_setting(F&& f) const {
    f("timesteps", timesteps_);
    f("subsets", subsets_);
    f("subset_ends", std::span(ends_).first(at(subsets_)));
  }

  [[nodiscard]] constexpr bool operator==(TimestepPartition const&) const = default;

 private:
  constexpr explicit TimestepPartition(Config const& config)
      : timesteps_(config.timesteps), subsets_(config.subsets), dims_(config.dims) {
    if (subsets_ < 1) partition_error::a_partition_needs_at_least_one_subset(subsets_);
    if (subsets_ > timesteps_) partition_error::subsets_must_not_exceed_timesteps(subsets_, timesteps_);
    if (subsets_ > dims_) partition_error::subsets_must_not_exceed_latent_dims(subsets_, dims_);
    if (subsets_ > max_subsets) partition_error::too_many_subsets_to_hold(at(subsets_), max_subsets);
  }

  static constexpr void require_stages(Config const& config, std::span<PartitionStage const> stages) {
    std::int64_t sum = 0;
    int previous = 0;
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (stages[s].end_step <= previous) {
        partition_error::stages_must_end_at_ascending_steps(s, previous, stages[s].end_step);
      }
      previous = stages[s].end_step;
      sum += stages[s].dims;
    }
    if (previous != config.timesteps) {
      partition_error::the_last_stage_must_end_at_timesteps(config.timesteps, previous);
    }
    if (sum != config.dims) partition_error::stage_dims_must_sum_to_latent_dims(config.dims, sum);
  }

  constexpr void require_subset(int subset) const {
    if (subset < 0 || subset >= subsets_) partition_error::subset_out_of_range(subset, subsets_);
  }

  static constexpr std::size_t at(int subset) { return static_cast<std::size_t>(subset); }

  int timesteps_;
  int subsets_;
  int dims_;
  std::array<int, static_cast<std::size_t>(max_subsets)> ends_{};
};

}  // namespace diffsiam::encoder
