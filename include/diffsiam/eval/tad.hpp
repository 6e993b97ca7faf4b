// TAD, total AUROC difference, and the number of captured attributes (Yeats et al. 2022, "NashAE",
// arXiv 2209.10677). A part of the code as detector of a binary attribute has an area under the ROC curve, of
// whichever sign is better. An attribute is captured when its best detector reaches .75;
//   TAD = sum over captured attributes of (best AUROC - second best AUROC).
// As published, attributes much of whose entropy another attribute takes away, max_b I(a; b) / H(a) > .2, are
// left out of both.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/best_two.hpp>
#include <diffsiam/eval/group_readout.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/eval/mutual_information.hpp>

namespace diffsiam::eval {

struct TadConfig {
  double captured = 0.75;    ///< least AUROC of the best detector
  double most_shared = 0.2;  ///< of an attribute's entropy, with another attribute; 1 leaves none out
};

struct TadResult {
  double score = 0;                 ///< sum of the gaps of captured attributes
  int captured = 0;                 ///< number of captured attributes
  std::vector<bool> is_captured{};  ///< for each attribute
  std::vector<double> gap{};        ///< best less second AUROC, for each attribute, in [0, 1/2]
  std::vector<Index> best{};        ///< the part that detects best
  std::vector<double> shared{};     ///< max_b I(a; b) / H(a), in [0, 1]
  Eigen::MatrixXd auroc{};          ///< in [1/2, 1], (parts, attributes)
};

namespace detail {

inline void require_tad(std::string_view operation, Factors const& attributes, TadConfig const& config) {
  if (!(config.captured >= 0.5 && config.captured <= 1 && config.most_shared >= 0))
    fail<ConfigError>(operation, "captured in [.5, 1] and most_shared of at least 0",
                      std::to_string(config.captured) + " and " + std::to_string(config.most_shared));
  for (Index i = 0; i < static_cast<Index>(attributes.values.size()); ++i)
    if (int const value = attributes.values[static_cast<std::size_t>(i)]; value > 1)
      fail<RangeError>(operation, "binary attributes, 0 or 1",
                       std::to_string(value) + " of attribute " + std::to_string(i % attributes.factors) +
                           " in sample " + std::to_string(i / attributes.factors));
}

/// Of whichever sign is better.
[[nodiscard]] inline double detection(std::span<double const> ranks, std::span<int const> positive) {
  double const area = auroc_of_ranks(ranks, positive);
  return std::max(area, 1 - area);
}

[[nodiscard]] inline TadResult tad_of(Eigen::MatrixXd areas, std::vector<std::vector<int>> const& attributes,
                                      TadConfig const& config) {
  TadResult result;
  for (std::size_t a = 0; a < attributes.size(); ++a) {
    double shared = 0;
    for (std::size_t b = 0; b < attributes.size(); ++b)
      if (b != a) shared = std::max(shared, mutual_information(attributes[a], attributes[b]));
    shared = std::min(shared / discrete_entropy(attributes[a]), 1.0);
    BestTwo const top = best_two(areas.col(static_cast<Index>(a)), 0.5);
    bool const counts = top.best >= config.captured && shared <= config.most_shared;
    if (counts) {
      result.score += top.gap();
      ++result.captured;
    }
    result.is_captured.push_back(counts);
    result.gap.push_back(top.gap());
    result.best.push_back(top.index);
    result.shared.push_back(shared);
  }
  result.auroc = std::move(areas);
  return result;
}

[[nodiscard]] inline std::vector<std::vector<int>> columns_of(Factors const& factors) {
  std::vector<std::vector<int>> columns;
  for (int k = 0; k < factors.factors; ++k) columns.push_back(factor_column(factors, k));
  return columns;
}

}  // namespace detail

/// Per dim, without any fit. A constant dim has 1/2, which is also the second of a dim that is alone. Throws
/// as require_factored, RangeError for an attribute that is not binary, ConfigError. `pool` may be null.
[[nodiscard]] inline TadResult tad(Factored const& data, TadConfig const& config = {},
                                   ThreadPool* pool = nullptr) {
  require_factored("tad", data);
  detail::require_tad("tad", data.factors, config);
  std::vector<std::vector<int>> const attributes = detail::columns_of(data.factors);
  Eigen::MatrixXd areas(data.features.dims, data.factors.factors);
  detail::for_pieces(pool, data.features.dims, [&](Index j) {
    std::vector<float> const column = detail::columns_of(data.features, j, 1);
    std::vector<double> const ranks = average_ranks(std::span<float const>{column});
    for (std::size_t a = 0; a < attributes.size(); ++a)
      areas(j, static_cast<Index>(a)) = detail::detection(ranks, attributes[a]);
  });
  return detail::tad_of(std::move(areas), attributes, config);
}

/// Per group: the detector is the group's linear discriminant, fitted on `train`, judged on `test`. Throws
/// besides as group_mig. `pool` may be null.
[[nodiscard]] inline TadResult group_tad(Factored const& train, Factored const& test, DimGroups const& groups,
                                         TadConfig const& config = {}, ThreadPool* pool = nullptr) {
  require_factored("group_tad", train, test);
  detail::require_tad("group_tad", train.factors, config);
  detail::require_tad("group_tad", test.factors, config);
  std::vector<std::vector<int>> const attributes = detail::columns_of(test.factors);
  Eigen::MatrixXd areas(groups.count(), test.factors.factors);
  detail::for_each_readout("group_tad", train, test, groups, pool, [&](detail::GroupReadout const& readout) {
    Index const width = readout.test.dims;
    Eigen::VectorXd const direction =
        (readout.weights.col(1) - readout.weights.col(0)).head(width).normalized();
    Eigen::VectorXf const scores =
        detail::rows_of(readout.test, {0, readout.test.count}) * direction.cast<float>();
    std::span<float const> const values{scores.data(), static_cast<std::size_t>(scores.size())};
    areas(readout.group, readout.factor) = detail::detection(
        average_ranks(std::span<float const>{values}), attributes[static_cast<std::size_t>(readout.factor)]);
  });
  return detail::tad_of(std::move(areas), attributes, config);
}

}  // namespace diffsiam::eval
