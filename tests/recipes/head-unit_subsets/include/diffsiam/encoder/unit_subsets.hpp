// UnitSubsets: a linear head whose subsets of z have length 1 each, z_i = y_i / |y_i| with y = W features +
// b, so that no subset is told from another by its size. As the features that NT-Xent compares (arXiv
// 2002.05709), a subset at a time.
#pragma once

#include <string_view>

#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/normalize.hpp>

namespace diffsiam::encoder {

/// A linear layer, and each subset of z divided by its length.
template <class B>
class UnitSubsets {
 public:
  using Backend = B;
  static constexpr std::string_view kind = "unit_subsets";  ///< in files of models
  /// As LinearHead.
  UnitSubsets(nn::Init<B>& init, Index features, TimestepPartition const& partition, PublishedLayout layout)
      : partition_(partition), linear_(init, {.in = features, .out = partition.dims(), .layout = layout}) {}

  /// features (n, features) -> z (n, dims).
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& features) const {
    auto const y = linear_(features);  // (n, dims)
    auto z = unit(y, 0);
    for (int subset = 1; subset < partition_.subsets(); ++subset) z = ops::concat(z, unit(y, subset));
    return z;
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"linear", ""}, linear_);
  }

 private:
  template <class Y>
  [[nodiscard]] auto unit(Y const& y, int subset) const {
    return ops::normalize(ops::slice(y, partition_.begin(subset), partition_.end(subset)));
  }

  TimestepPartition partition_;
  nn::Linear<B> linear_;
};

}  // namespace diffsiam::encoder
