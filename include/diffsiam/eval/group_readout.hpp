// What a linear readout makes of each group of dims about each factor: linear discriminants fitted on
// training samples, shown with the test samples they are to judge. An inside of MIG and SAP by subsets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/eval/dim_groups.hpp>
#include <diffsiam/eval/factors.hpp>
#include <diffsiam/eval/linear_discriminant.hpp>
#include <diffsiam/eval/standardise.hpp>

namespace diffsiam::eval::detail {

struct GroupReadout {
  Index group;
  int factor;
  Features test;  ///< the group's dims, standardised by the training samples
  SoftmaxWeights const& weights;

  /// The level of each test sample.
  [[nodiscard]] std::vector<int> predictions() const { return softmax_predict(test, weights); }
};

/// visit() for each group and factor, from any thread. Throws as require_factored and require_groups, and
/// ShapeError for a group of as many dims as there are training samples. `pool` may be null.
inline void for_each_readout(std::string_view operation, Factored const& train, Factored const& test,
                             DimGroups const& groups, ThreadPool* pool,
                             FunctionRef<void(GroupReadout const&)> visit) {
  require_factored(operation, train, test);
  require_groups(operation, groups, train.features.dims);
  for (Index g = 0; g < groups.count(); ++g)
    if (groups.size(g) >= train.features.count)
      fail<ShapeError>(operation,
                       "more training samples than the " + std::to_string(groups.size(g)) +
                           " dims of group " + std::to_string(g),
                       train.features.count);
  Standardiser const standardiser = Standardiser::fit(train.features);
  std::vector<float> const train_values = standardiser(train.features);
  std::vector<float> const test_values = standardiser(test.features);
  LevelMoments const moments =
      LevelMoments::of({{train_values, train.features.count, train.features.dims}, train.factors}, pool);
  for_pieces(pool, groups.count(), [&](Index g) {
    std::vector<float> const columns =
        columns_of({test_values, test.features.count, test.features.dims}, groups.begin(g), groups.size(g));
    for (int k = 0; k < train.factors.factors; ++k) {
      SoftmaxWeights const weights = linear_discriminant(moments, k, groups.begin(g), groups.size(g));
      visit({g, k, {columns, test.features.count, groups.size(g)}, weights});
    }
  });
}

}  // namespace diffsiam::eval::detail
