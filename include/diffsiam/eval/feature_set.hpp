// FeatureSet: the features of a whole data set together with names, labels, and the subsets of z that they
// come from. feature_files.hpp writes and reads it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/columns.hpp>
#include <diffsiam/eval/features.hpp>

namespace diffsiam::eval {

/// What the files of feature_files.hpp hold.
struct FeatureSet {
  std::vector<float> values{};             ///< (count, dims), row-major
  Index count = 0;                         ///< samples
  Index dims = 0;                          ///< features of each sample
  std::vector<std::string> names{};        ///< one for each sample, such as its file; or empty
  std::vector<int> labels{};               ///< one for each sample, at least 0; or empty
  std::vector<std::string> class_names{};  ///< the names of labels 0, 1, ...; or empty
  /// The subsets of z whose columns these are, in the same order; empty if that is not known.
  std::vector<SubsetOfZ> subsets{};

  /// A view of the values, valid as long as the set.
  [[nodiscard]] Features features() const& { return {values, count, dims}; }
  void features() const&& = delete;
  /// With labels, as probes take them; only if the set has labels.
  [[nodiscard]] Labelled labelled() const& { return {features(), labels}; }
  void labelled() const&& = delete;
  [[nodiscard]] bool operator==(FeatureSet const&) const = default;
};

namespace detail {

/// What does not fit together in a set, in the words of "expected ..., got ...". `expected` is empty if
/// everything fits.
struct Misfit {
  std::string expected{};
  std::string actual{};
};

[[nodiscard]] inline Misfit misfit_of(FeatureSet const& set) {
  auto const size = static_cast<Index>(set.values.size());
  if (set.count < 1 || set.dims < 1 || size % set.dims != 0 || size / set.dims != set.count)
    return {"features (count, dims) of at least (1, 1), and as many values",
            text({size, " values for (", set.count, ", ", set.dims, ")"})};
  auto const of_each = [&](std::string_view what, std::size_t number) -> Misfit {
    if (number == 0 || static_cast<Index>(number) == set.count) return {};
    return {text({set.count, " ", what, ", one for each sample, or none"}), std::to_string(number)};
  };
  if (Misfit const names = of_each("names", set.names.size()); !names.expected.empty()) return names;
  if (Misfit const labels = of_each("labels", set.labels.size()); !labels.expected.empty()) return labels;
  for (int const label : set.labels)
    if (label < 0 || (!set.class_names.empty() && static_cast<std::size_t>(label) >= set.class_names.size()))
      return {set.class_names.empty() ? std::string("labels of at least 0")
                                      : text({"labels of the ", set.class_names.size(), " classes"}),
              std::to_string(label)};
  for (auto const* const list : {&set.names, &set.class_names})
    for (std::string const& name : *list)
      if (name.find('\0') != std::string::npos) return {"names without a byte of zero", "one that has it"};
  Index width = 0;
  int before = -1;
  for (auto const& [subset, dims] : set.subsets) {
    if (subset <= before || dims.begin < 0 || dims.end <= dims.begin)
      return {"subsets of z that ascend, each with its columns",
              text({"subset ", subset, " of [", dims.begin, ", ", dims.end, ")"})};
    before = subset;
    width += Index{dims.end} - dims.begin;
  }
  if (!set.subsets.empty() && width != set.dims)
    return {text({"subsets of z of ", set.dims, " columns in all"}), std::to_string(width)};
  return {};
}

}  // namespace detail

/// Throws E if names, labels or subsets do not fit the features.
template <class E = ShapeError>
void require_feature_set(std::string_view operation, FeatureSet const& set, Text const& hint = no_hint) {
  detail::Misfit const misfit = detail::misfit_of(set);
  if (!misfit.expected.empty()) fail<E>(operation, misfit.expected, misfit.actual, hint);
}

}  // namespace diffsiam::eval
