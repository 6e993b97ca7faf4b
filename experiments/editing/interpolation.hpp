// Interpolations: all of z along the line between two pictures, x_T by slerp. On the way a good z shows one
// picture's level of a factor or the other's; a level of neither is the price of a bent space, though for
// ordered factors, such as a position, it may lie between the two.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <diffsiam/model/interpolate.hpp>

#include <experiments/editing/subjects.hpp>

namespace experiments {

inline constexpr std::array<double, 5> interpolation_weights{0, 0.25, 0.5, 0.75, 1};

/// Of the factors in which the two ends differ for the judge, the shares that look like one of them.
struct Way {
  double weight = 0;  ///< 0: the first picture, 1: the second
  double first = 0, second = 0, neither = 0;
};

struct Interpolation {
  std::string method;
  std::vector<Way> ways;
  ds::io::Picture pictures{};  ///< a row a pair, a column a weight

  [[nodiscard]] nlohmann::ordered_json json() const {
    auto list = nlohmann::ordered_json::array();
    for (Way const& w : ways)
      list.push_back(
          {{"weight", w.weight}, {"first", w.first}, {"second", w.second}, {"neither", w.neither}});
    return list;
  }
};

/// `from` and `to` are what the judge sees at both ends, `here` what it sees between them.
[[nodiscard]] inline Way way_at(double weight, std::vector<int> const& from, std::vector<int> const& to,
                                std::vector<int> const& here) {
  Way way{.weight = weight};
  double different = 0;
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (from[i] == to[i]) continue;
    ++different;
    ++(here[i] == from[i] ? way.first : here[i] == to[i] ? way.second : way.neither);
  }
  for (double* const share : {&way.first, &way.second, &way.neither})
    *share = different > 0 ? *share / different : 0;
  return way;
}

[[nodiscard]] inline Interpolation interpolate_pairs(Studio const& studio, TrainedMethod const& method,
                                                     Subjects const& from, Subjects const& to) {
  ds::model::Origin<B> const begin{from.rest, from.z}, end{to.rest, to.z};
  auto const images = ds::model::interpolate(method.model, begin, end, interpolation_weights, studio.grid());
  Interpolation result{.method = method.name, .ways = {}};
  for (std::size_t i = 0; i < images.size(); ++i)
    result.ways.push_back(
        way_at(interpolation_weights[i], from.seen, to.seen, studio.judge.predict(images[i])));

  std::vector<ds::io::Picture> cells;
  for (ds::Index pair = 0; pair < std::min(studio.settings.shown, from.count()); ++pair)
    for (auto const& row : images) cells.push_back(pictures_of(row.samples(pair, pair + 1)).front());
  result.pictures = ds::io::grid(cells, static_cast<int>(images.size()), 2);
  return result;
}

inline void show_interpolations(ds::report::HtmlReport& report, std::filesystem::path const& folder,
                                std::vector<Interpolation> const& results) {
  auto& section = report.section("3 Interpolations");
  ds::report::Table table{.header = {"z of", "weight", "the first's %", "the second's %", "neither's %"},
                          .rows = {},
                          .caption =
                              "Whose level the judge sees, of the factors in which it sees the two "
                              "reconstructions differ."};
  for (Interpolation const& r : results)
    for (Way const& w : r.ways)
      table.rows.push_back(
          {r.method, figure(w.weight, 2), percent(w.first), percent(w.second), percent(w.neither)});
  section.table(table);
  for (Interpolation const& r : results)
    show(section, folder, "interpolations_" + r.method, r.pictures,
         r.method + ": a row a pair, from the first picture to the second.");
}

}  // namespace experiments
