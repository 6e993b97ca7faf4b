// class_direction: the direction of z in which a class lies, for edits: z + s (mean of the class - mean of
// all).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/feature_set.hpp>

namespace diffsiam::eval {

/// The mean of z over a class less the mean over all, (dims). Throws ShapeError as require_feature_set,
/// ConfigError for a set without labels, or without a sample of a class of that name.
[[nodiscard]] inline std::vector<float> class_direction(FeatureSet const& set,
                                                        std::string const& class_name) {
  require_feature_set("class_direction", set);
  auto const found = std::find(set.class_names.begin(), set.class_names.end(), class_name);
  auto const label = static_cast<int>(found - set.class_names.begin());
  auto const members = std::count(set.labels.begin(), set.labels.end(), label);
  if (found == set.class_names.end() || members == 0)
    fail<ConfigError>("class_direction", {"features with samples of the class '", class_name, "'"},
                      {set.class_names.size(), " classes without it"});
  auto const dims = static_cast<std::size_t>(set.dims);
  std::vector<double> of_class(dims), of_all(dims);
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    for (std::size_t d = 0; d < dims; ++d) {
      double const value = static_cast<double>(set.values[i * dims + d]);
      of_all[d] += value;
      if (set.labels[i] == label) of_class[d] += value;
    }
  std::vector<float> direction(dims);
  for (std::size_t d = 0; d < dims; ++d)
    direction[d] = static_cast<float>(of_class[d] / static_cast<double>(members) -
                                      of_all[d] / static_cast<double>(set.count));
  return direction;
}

}  // namespace diffsiam::eval
