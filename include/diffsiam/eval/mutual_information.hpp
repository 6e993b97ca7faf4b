// Mutual information and entropy of discrete variables, estimated from counts:
//   I(a; b) = sum p(a, b) log(p(a, b) / (p(a) p(b))), H(a) = -sum p(a) log p(a), in nats.
// From n samples with A and B values, I is too large by about (A - 1)(B - 1) / 2n (Miller 1955); this is not
// corrected. A real dim is divided into bins of equal width between its smallest and largest value, 20 of
// them as in Locatello et al., arXiv 1811.12359.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <Eigen/Core>

#include <diffsiam/core/error.hpp>
#include <diffsiam/eval/factors.hpp>
#include <diffsiam/eval/features.hpp>
#include <diffsiam/eval/metrics.hpp>

namespace diffsiam::eval {

namespace detail {

inline void require_levels(std::string_view operation, std::span<int const> values) {
  if (values.empty()) fail<ShapeError>(operation, "at least one value", "none");
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] < 0 || values[i] >= most_levels)
      fail<RangeError>(operation, "values in [0, " + std::to_string(most_levels) + ")",
                       std::to_string(values[i]) + " of sample " + std::to_string(i));
}

inline void require_bins(std::string_view operation, int bins) {
  if (bins < 2 || bins > most_levels)
    fail<ConfigError>(operation, "bins in [2, " + std::to_string(most_levels) + "]", bins);
}

/// The sum of c log c over counts c. (n log n - this) / n is the entropy.
[[nodiscard]] inline double count_log_count(std::vector<Index> const& counts) {
  double sum = 0;
  for (Index const count : counts)
    if (count > 0) sum += static_cast<double>(count) * std::log(static_cast<double>(count));
  return sum;
}

/// `nats` is an entropy or information of n samples in `cells` cells, of which at most n are occupied.
/// Returns 0 if it is only the rounding error of so many products with logarithms, because measures divide by
/// it.
[[nodiscard]] inline double above_rounding(double nats, std::size_t cells, double n) {
  double const taken = std::min(static_cast<double>(cells), n);
  double const rounding = std::numeric_limits<double>::epsilon() * taken * std::log(n);
  return nats > rounding ? nats : 0;
}

}  // namespace detail

/// H(values) in nats: at least 0, and 0 for a constant. Throws ShapeError if there are no values, RangeError
/// for values outside [0, most_levels).
[[nodiscard]] inline double discrete_entropy(std::span<int const> values) {
  detail::require_levels("discrete_entropy", values);
  std::vector<Index> counts(static_cast<std::size_t>(levels_of(values)));
  for (int const value : values) ++counts[static_cast<std::size_t>(value)];
  auto const n = static_cast<double>(values.size());
  return detail::above_rounding(std::log(n) - detail::count_log_count(counts) / n, counts.size(), n);
}

/// I(a; b) in nats: at least 0, and 0 if a or b is constant. Throws as discrete_entropy, and ShapeError for
/// unequal counts.
[[nodiscard]] inline double mutual_information(std::span<int const> a, std::span<int const> b) {
  detail::require_pairs("mutual_information", a.size(), b.size());
  detail::require_levels("mutual_information", a);
  detail::require_levels("mutual_information", b);
  auto const width = static_cast<std::size_t>(levels_of(b));
  std::vector<Index> of_a(static_cast<std::size_t>(levels_of(a))), of_b(width), both(of_a.size() * width);
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto const x = static_cast<std::size_t>(a[i]), y = static_cast<std::size_t>(b[i]);
    ++of_a[x];
    ++of_b[y];
    ++both[x * width + y];
  }
  auto const n = static_cast<double>(a.size());
  double const nats =
      std::log(n) +
      (detail::count_log_count(both) - detail::count_log_count(of_a) - detail::count_log_count(of_b)) / n;
  return detail::above_rounding(nats, both.size(), n);
}

/// The bin of dim `j` of each sample, in [0, bins). The largest value is in the last bin. A constant dim,
/// whose spread is only rounding, is in the first. Throws RangeError for a dim that does not exist,
/// ConfigError for bins outside [2, most_levels], ShapeError if there are no samples.
[[nodiscard]] inline std::vector<int> discretise(Features const& features, Index j, int bins) {
  require_feature_shape("discretise", features);
  detail::require_bins("discretise", bins);
  if (j < 0 || j >= features.dims) fail<RangeError>("discretise", {"a dim in [0, ", features.dims, ")"}, j);
  float least = features.row(0)[j], greatest = least;
  for (Index i = 1; i < features.count; ++i) {
    least = std::min(least, features.row(i)[j]);
    greatest = std::max(greatest, features.row(i)[j]);
  }
  double const width = static_cast<double>(greatest) - static_cast<double>(least);
  std::vector<int> result(static_cast<std::size_t>(features.count));
  double const size = std::max(std::abs(static_cast<double>(least)), std::abs(static_cast<double>(greatest)));
  if (detail::is_rounding(width, size)) return result;
  for (Index i = 0; i < features.count; ++i) {
    double const place = (static_cast<double>(features.row(i)[j]) - static_cast<double>(least)) / width;
    result[static_cast<std::size_t>(i)] = std::min(static_cast<int>(place * bins), bins - 1);
  }
  return result;
}

/// I(dim; factor) in nats, (dims, factors). Throws ConfigError for bins outside [2, most_levels], and as
/// require_factored. `pool` may be null.
[[nodiscard]] inline Eigen::MatrixXd information_matrix(Factored const& data, int bins = 20,
                                                        ThreadPool* pool = nullptr) {
  detail::require_bins("information_matrix", bins);
  require_factored("information_matrix", data);
  std::vector<std::vector<int>> columns;
  for (int k = 0; k < data.factors.factors; ++k) columns.push_back(factor_column(data.factors, k));
  Eigen::MatrixXd result(data.features.dims, data.factors.factors);
  detail::for_pieces(pool, data.features.dims, [&](Index j) {
    std::vector<int> const binned = discretise(data.features, j, bins);
    for (std::size_t k = 0; k < columns.size(); ++k)
      result(j, static_cast<Index>(k)) = mutual_information(binned, columns[k]);
  });
  return result;
}

}  // namespace diffsiam::eval
