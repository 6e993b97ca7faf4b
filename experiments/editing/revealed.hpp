// Test pictures from the first subsets of z alone: from random x_T, or without what else an edit would keep.
// So it is seen what each further subset adds.
#pragma once

#include <string>
#include <vector>

#include <diffsiam/eval/covariance.hpp>

#include <experiments/editing/frechet_scale.hpp>
#include <experiments/editing/reconstruction.hpp>
#include <experiments/editing/subjects.hpp>

namespace experiments {

/// Pictures made of the first `subsets`, or of as many columns where z has none; 0: of nothing.
struct RevealedSubsets {
  int subsets = 0;
  ds::Index columns = 0;
  Likeness likeness{};  ///< to the test pictures
  double frechet = 0;   ///< to all test pictures
};

struct Revealed {
  std::string method;
  std::vector<RevealedSubsets> steps{};
  ds::io::Picture pictures{};  ///< test pictures, then a row a step

  [[nodiscard]] nlohmann::ordered_json json() const {
    auto list = nlohmann::ordered_json::array();
    for (RevealedSubsets const& step : steps) {
      list.push_back({{"subsets", step.subsets}, {"columns", step.columns}});
      list.back().update(step.likeness.json());
      list.back()["frechet"] = step.frechet;
    }
    return list;
  }
};

/// 0, 1, 2, 4, ... and all of them.
[[nodiscard]] inline std::vector<int> revealed_counts(int subsets) {
  std::vector<int> counts{0};
  for (int count = 1; count < subsets; count *= 2) counts.push_back(count);
  counts.push_back(subsets);
  return counts;
}

/// z with the columns behind the first ones hidden: at 0, as in training, or at their `mean` where the
/// decoder has never met hidden ones.
[[nodiscard]] inline ds::Tensor<B> with_hidden_columns(Studio const& studio, EditableCode const& code,
                                                       ds::Tensor<B> const& z, ds::Index columns,
                                                       Eigen::VectorXd const& mean) {
  auto values = z.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto const column = static_cast<ds::Index>(i) % code.dims;
    if (column >= columns) values[i] = code.revealed_in_training ? 0.0F : static_cast<float>(mean[column]);
  }
  return ds::Tensor<B>::from(*studio.context, z.shape(), std::span<float const>{values});
}

/// `known_z` (count, dims) are those of training pictures.
[[nodiscard]] inline Revealed reveal_subsets(Studio const& studio, EditableCode const& code,
                                             FrechetScale const& scale, std::vector<float> const& known_z,
                                             Subjects const& test) {
  auto const mean = ds::eval::mean_of(features_of(known_z, code.dims));
  ds::Index const shown = std::min(studio.settings.shown, test.count());
  std::vector<ds::Tensor<B>> rows{test.images.samples(0, shown)};
  Revealed result{.method = code.name};
  for (int const subsets : revealed_counts(studio.partition.subsets())) {
    ds::Index const columns = subsets == 0 ? 0 : studio.partition.end(subsets - 1);
    auto const made = code.decode_alone(with_hidden_columns(studio, code, test.z, columns, mean));
    result.steps.push_back({subsets, columns, likeness(test.images, made), scale(made)});
    rows.push_back(made.samples(0, shown));
  }
  result.pictures = rows_of<B>(rows);
  return result;
}

inline void show_revealed(ds::report::HtmlReport& report, std::filesystem::path const& folder,
                          std::vector<Revealed> const& results) {
  auto& section = report.section("7 Pictures from the first subsets");
  section.text(
      "From random x_T, or for codes without noise from z alone. Hidden columns are 0, or at their mean "
      "where the decoder has not learned to do without them. 0 subsets: without the picture's z.");
  ds::report::Table table{.header = {"z of", "subsets", "columns", "MSE", "SSIM", "Frechet distance"},
                          .rows = {},
                          .caption =
                              "To the test pictures themselves on [0, 1]; Frechet distance to all test "
                              "pictures, in the judge's features."};
  for (Revealed const& r : results)
    for (RevealedSubsets const& step : r.steps)
      table.rows.push_back({r.method, std::to_string(step.subsets), std::to_string(step.columns),
                            figure(step.likeness.mse, 4), figure(step.likeness.ssim),
                            figure(step.frechet, 1)});
  section.table(table);
  for (Revealed const& r : results)
    show(section, folder, "revealed_" + r.method, r.pictures,
         r.method + ": test pictures, and below them a row for each line of the table.");
}

}  // namespace experiments
