// for_each_readout: what a linear classifier reads of each factor from each group of dims. Linear
// discriminants are fitted on training samples and passed on together with the test samples. For the headers
// of eval/ only.
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
  Features test;  ///< the dims of the group, standardised with the training samples
  SoftmaxWeights const& weights;

  /// The predicted level of each test sample.
  [[nodiscard]] std::vector<int> predictions() const { return softmax_predict(test, weights); }
};

/// Calls visit() for each group and factor, from any thread. Throws as require_factored and require_groups,
/// and ShapeError if a group has as many dims as there are training samples. `pool` may be null.
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
