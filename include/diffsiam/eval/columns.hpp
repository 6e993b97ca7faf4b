// Columns: a choice of columns of features, such as those of some subsets of z.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// The number of a subset of z, and its columns in z.
/// `subset` counts from 0, and `dims` are its columns.
struct SubsetOfZ {
  int subset = 0;
  encoder::Dims dims{};
  [[nodiscard]] bool operator==(SubsetOfZ const&) const = default;
};

/// Columns const coarse = Columns::of(encoder.partition(), {14, 15});
/// std::vector<float> const part = coarse.gather({z, count, 64});  // (count, coarse.width())
class Columns {
 public:
  /// All columns of features of `dims`. Throws RangeError for fewer than one.
  [[nodiscard]] static Columns all(Index dims) {
    if (dims < 1) fail<RangeError>("Columns::all", "at least one dim", dims);
    return {dims, {{.begin = 0, .end = dims}}, {}};
  }
  /// The columns of some subsets of z, in the order of z. Throws ConfigError if the numbers of the subsets do
  /// not ascend, RangeError if there is none or if the partition does not have one of them.
  [[nodiscard]] static Columns of(encoder::TimestepPartition const& partition,
                                  std::vector<int> const& subsets) {
    if (subsets.empty()) fail<RangeError>("Columns::of", "at least one subset of z", "none");
    std::vector<Range> ranges;
    std::vector<SubsetOfZ> chosen;
    for (int const subset : subsets) {
      if (!chosen.empty() && subset <= chosen.back().subset)
        fail<ConfigError>("Columns::of", "subsets in ascending order, each once",
                          {subset, " after ", chosen.back().subset});
      chosen.push_back({subset, partition.subset_dims(subset)});
      ranges.push_back({chosen.back().dims.begin, chosen.back().dims.end});
    }
    return {partition.dims(), std::move(ranges), std::move(chosen)};
  }

  /// The dims of the features that columns are taken from.
  [[nodiscard]] Index dims() const { return dims_; }
  /// The number of columns that are taken.
  [[nodiscard]] Index width() const { return width_; }
  /// The subsets that were chosen; empty for all().
  [[nodiscard]] std::vector<SubsetOfZ> const& subsets() const& { return subsets_; }
  [[nodiscard]] std::vector<SubsetOfZ> subsets() const&& { return subsets_; }

  /// These columns of each sample, (count, width). Throws ShapeError if the features have other
  /// dims than dims().
  [[nodiscard]] std::vector<float> gather(Features const& features) const {
    require_feature_shape("Columns::gather", features);
    if (features.dims != dims_)
      fail<ShapeError>("Columns::gather", {"features of ", dims_, " dims"}, features.dims);
    std::vector<float> result(static_cast<std::size_t>(features.count * width_));
    auto out = result.begin();
    for (Index i = 0; i < features.count; ++i)
      for (auto const& [begin, end] : ranges_)
        out = std::copy(features.row(i) + begin, features.row(i) + end, out);
    return result;
  }

 private:
  struct Range {
    Index begin, end;
  };

  Columns(Index dims, std::vector<Range> ranges, std::vector<SubsetOfZ> subsets)
      : dims_(dims), ranges_(std::move(ranges)), subsets_(std::move(subsets)) {
    for (auto const& [begin, end] : ranges_) width_ += end - begin;
  }

  Index dims_;
  Index width_ = 0;
  std::vector<Range> ranges_;
  std::vector<SubsetOfZ> subsets_;
};

}  // namespace diffsiam::eval
