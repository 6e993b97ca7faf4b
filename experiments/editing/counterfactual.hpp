// Counterfactuals: what a picture would be with some subsets [i, j) of another's z. Segments of equal length
// cut the subsets from the finest time-steps to the coarsest; the judge says which factors each segment
// changes.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <diffsiam/model/counterfactual.hpp>
#include <diffsiam/model/interpolate.hpp>

#include <experiments/editing/segments.hpp>
#include <experiments/editing/subjects.hpp>

namespace experiments {

/// The segments, and all of z behind them.
[[nodiscard]] inline std::vector<ds::model::SubsetRange> exchanged_ranges(Studio const& studio) {
  auto ranges = segments_of(studio);
  ranges.push_back({0, studio.partition.subsets()});
  return ranges;
}

/// The rates at which factors change when a segment is exchanged.
struct SegmentEffect {
  ds::model::SubsetRange subsets;
  std::vector<double> fixed;    ///< of each factor, x_T kept
  std::vector<double> slerped;  ///< x_T goes all the way to the other's too
};

struct Counterfactuals {
  std::string method;
  std::vector<SegmentEffect> segments;     ///< the last one is all of z
  std::vector<ds::io::Picture> fixed{};    ///< a grid a pair: a row a segment, the exchange grows rightwards
  std::vector<ds::io::Picture> slerped{};  ///< the same, and x_T by slerp
};

/// `from` with a segment of `to`, as far as `weight`, and x_T as far as `noise_weight`.
[[nodiscard]] inline ds::Tensor<B> exchanged(Studio const& studio, TrainedMethod const& method,
                                             Subjects const& from, Subjects const& to,
                                             ds::model::SubsetRange const& range, double weight,
                                             double noise_weight) {
  auto const z = ds::model::exchange_subsets(studio.partition, from.z, to.z, range.first, range.last, weight);
  auto const x_T = noise_weight == 0 ? from.rest : ds::model::slerp(from.rest, to.rest, noise_weight);
  return method.decode(studio, x_T, z);
}

/// A grid for each pair: first picture, growing exchange, second picture; a row a segment.
[[nodiscard]] inline std::vector<ds::io::Picture> segment_grids(Studio const& studio,
                                                                TrainedMethod const& method,
                                                                Subjects const& from, Subjects const& to,
                                                                bool slerped) {
  constexpr std::array<double, 4> weights{0.25, 0.5, 0.75, 1};
  auto const first = pictures_of(from.rebuilt), second = pictures_of(to.rebuilt);
  std::vector<std::vector<ds::io::Picture>> cells(first.size());
  for (auto const& range : exchanged_ranges(studio)) {
    for (std::size_t pair = 0; pair < cells.size(); ++pair) cells[pair].push_back(first[pair]);
    for (double const weight : weights) {
      auto const images =
          pictures_of(exchanged(studio, method, from, to, range, weight, slerped ? weight : 0));
      for (std::size_t pair = 0; pair < cells.size(); ++pair) cells[pair].push_back(images[pair]);
    }
    for (std::size_t pair = 0; pair < cells.size(); ++pair) cells[pair].push_back(second[pair]);
  }
  std::vector<ds::io::Picture> grids;
  for (auto const& all : cells) grids.push_back(ds::io::grid(all, static_cast<int>(weights.size()) + 2, 2));
  return grids;
}

[[nodiscard]] inline Counterfactuals exchange_segments(Studio const& studio, TrainedMethod const& method,
                                                       Subjects const& from, Subjects const& to) {
  constexpr ds::Index shown_pairs = 3;
  Counterfactuals result{.method = method.name, .segments = {}};
  for (auto const& range : exchanged_ranges(studio)) {
    auto const changed = [&](double noise_weight) {
      return studio.changed(from.seen, exchanged(studio, method, from, to, range, 1, noise_weight));
    };
    result.segments.push_back({range, changed(0), changed(1)});
  }
  Subjects const few = first_of(from, shown_pairs), others = first_of(to, shown_pairs);
  result.fixed = segment_grids(studio, method, few, others, false);
  result.slerped = segment_grids(studio, method, few, others, true);
  return result;
}

[[nodiscard]] inline nlohmann::ordered_json json_of(Counterfactuals const& result, Studio const& studio) {
  auto list = nlohmann::ordered_json::array();
  for (SegmentEffect const& s : result.segments) {
    nlohmann::ordered_json fixed, slerped;
    for (std::size_t f = 0; f < studio.factors().factors(); ++f) {
      fixed[studio.factors().names[f]] = s.fixed[f];
      slerped[studio.factors().names[f]] = s.slerped[f];
    }
    list.push_back({{"first_subset", s.subsets.first},
                    {"last_subset", s.subsets.last - 1},
                    {"changed", fixed},
                    {"changed_with_noise", slerped}});
  }
  return list;
}

inline void show_counterfactuals(ds::report::HtmlReport& report, Studio const& studio,
                                 std::vector<Counterfactuals> const& results) {
  auto& section = report.section("4 Counterfactuals");
  section.text(
      "Subsets 0, 1, ... belong to ascending time-steps: fine things are lost first. z of PDAE has "
      "no subsets and is cut in the same columns.");
  auto const table = [&](std::string const& caption, std::vector<double> SegmentEffect::* rates) {
    ds::report::Table rows{.header = {"z of", "subsets"}, .rows = {}, .caption = caption};
    for (auto const& name : studio.factors().names) rows.header.push_back(name);
    for (Counterfactuals const& r : results)
      for (SegmentEffect const& s : r.segments) {
        std::vector<std::string> row{r.method, name_of(studio.partition, s.subsets)};
        for (double const rate : s.*rates) row.push_back(percent(rate));
        rows.rows.push_back(std::move(row));
      }
    section.table(rows);
  };
  table("Pictures in % whose level of a factor changes for the judge, x_T kept.", &SegmentEffect::fixed);
  table("The same where x_T becomes the other picture's too.", &SegmentEffect::slerped);
  for (Counterfactuals const& r : results)
    for (std::size_t pair = 0; pair < r.fixed.size(); ++pair)
      show(section, studio.folder, "counterfactuals_" + r.method + "_" + std::to_string(pair),
           ds::io::side_by_side(std::array{r.fixed[pair], r.slerped[pair]}, 12),
           r.method +
               ": a row a segment, the last all of z; the first picture at the left, the second at "
               "the right, the exchange grows between them. Left grid: x_T kept; right: by slerp.");
}

}  // namespace experiments
