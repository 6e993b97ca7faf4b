// The page of results as a whole: for each data set its tables and pictures, from the file of results.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <experiments/named.hpp>
#include <experiments/pages/page_pictures.hpp>

namespace experiments {

struct ResultsPage {
  std::string markdown;  ///< what stands between the markers
  std::vector<PagePicture> pictures;
};

namespace detail {

inline constexpr NumberStyle share_style{.scale = 1, .decimals = 3};

[[nodiscard]] inline std::vector<Column> disentanglement_columns(std::string const& prefix) {
  return {{"D", prefix + "dci_disentanglement", share_style},
          {"C", prefix + "dci_completeness", share_style},
          {"I", prefix + "dci_informativeness", share_style},
          {"MIG", prefix + "mig", share_style},
          {"SAP", prefix + "sap", share_style},
          {"FactorVAE", prefix + "factor_vae", share_style},
          {"modularity", prefix + "modularity", share_style}};
}

/// Appends blocks of Markdown with an empty line between them, and gathers the pictures.
class PageWriter {
 public:
  explicit PageWriter(std::string image_prefix) : prefix_(std::move(image_prefix)) {}

  void block(std::string const& text) {
    if (!text.empty()) page_.markdown += (page_.markdown.empty() ? "" : "\n") + text;
  }
  /// A heading, or a paragraph.
  void line(std::string const& text) { block(text + "\n"); }
  void table(MarkdownTable const& table, std::string const& before = "") {
    if (table.rows.empty()) return;
    if (!before.empty()) line(before);
    block(table.text());
  }
  /// Whether there is one.
  bool picture(std::optional<PagePicture> picture) {
    if (!picture) return false;
    block("![" + picture->alternative + "](" + prefix_ + picture->file + ")\n");
    page_.pictures.push_back(std::move(*picture));
    return true;
  }
  [[nodiscard]] ResultsPage take() { return std::move(page_); }

 private:
  std::string prefix_;
  ResultsPage page_;
};

inline constexpr char const* curve_caption =
    "Mean over seeds, from 10,000 training pictures at the most; test pictures play no part.";

/// `lost`: theory says where noise takes the factors.
[[nodiscard]] inline std::string map_caption(bool lost) {
  return std::string(
             "A linear probe on one subset of z at a time, accuracy on test pictures: 0 by chance, 1 all "
             "right. ") +
         (lost ? "Factors stand in the order in which noise takes them: triangles where they are lost, "
                 "circles "
                 "where they are found."
               : "Circles: where factors are found.");
}

inline void write_fashion(PageWriter& page, ResultFile const& results) {
  std::string const data = "fashion";
  if (methods_with_results(results, data).empty()) return;
  page.line("## Fashion-MNIST");
  page.table(score_table(
      results, data,
      {{"linear probe, %", "linear_probe", percent_style},
       {"k-NN, k = 20, %", "knn_20", percent_style},
       {"k-NN, k = 200, %", "knn_200", percent_style},
       {"training, CPU min", "training_processor_seconds", {.scale = 1.0 / 60, .decimals = 1}, false},
       {"memory, MB", "peak_bytes", {.scale = 1e-6, .decimals = 0}, false}},
      Lead::dims_and_seeds,
      "Accuracy on test pictures, mean and standard deviation over seeds; training time and the "
      "greatest memory of the process that trained and measured, mean over seeds. Bold: the best "
      "without labels."));
  page.table(label_table(results, data), "### Fashion-MNIST: few labels, and attributes");
  for (char const* const name : {"diffsiam", "wide_joined"}) {
    Method const& method = named(methods, "difference_table", name);
    page.table(difference_table(results, data, method),
               "### Fashion-MNIST: " + std::string(method.title) + " against each");
  }
  if (page.picture(learning_chart(results, data, "Fashion-MNIST"))) page.line(curve_caption);
}

/// Of pictures whose factors are known, since a program draws them; `title` begins the headings.
inline void write_drawn(PageWriter& page, ResultFile const& results, std::string const& data,
                        std::string const& title) {
  if (methods_with_results(results, data).empty()) return;
  std::string const heading = "### " + title + ": ";
  page.line("## " + title);
  std::vector<Column> columns{{"linear probe, %", "linear_probe", percent_style},
                              {"k-NN, k = 20, %", "knn_20", percent_style}};
  for (Column& column : disentanglement_columns("")) columns.push_back(std::move(column));
  page.table(score_table(
      results, data, columns, Lead::dims_and_seeds,
      "Accuracy on test pictures, mean over factors; disentanglement, completeness and "
      "informativeness (D, C, I), MIG, SAP, FactorVAE score and modularity of single dims, from 0 "
      "to 1, all better when greater; mean and standard deviation over seeds. Bold: the best "
      "without labels."));
  columns = disentanglement_columns("subset.");
  std::string by_subset = "The same measures with whole subsets of z as the parts";
  if (!results.over_seeds(data, "diffsiam", "order_correlation").empty()) {
    columns.push_back({"order found", "order_correlation", {.scale = 1, .decimals = 2}});
    columns.push_back({"order relied on", "use_order_correlation", {.scale = 1, .decimals = 2}});
    by_subset +=
        "; order: Spearman's rank correlation between the time-steps at which factors are lost and those at "
        "which they are found by probes, or relied on by the decoder";
  }
  page.table(score_table(results, data, columns, Lead::none, by_subset + "."), heading + "by subset");
  page.table(label_table(results, data), heading + "few labels, and attributes");
  page.table(difference_table(results, data, named(methods, "difference_table", "diffsiam")),
             heading + "DiffSiam against each");
  page.table(factor_table(results, data), heading + "by factor");
  page.table(order_table(results, data), heading + "where factors are lost and found");
  bool any_map = false;
  for (char const* const name : {"diffsiam", "diffusion_only"})
    any_map = page.picture(subset_map(results, data, named(methods, "subset_map", name))) || any_map;
  if (any_map) page.line(map_caption(knows_lost_steps(results, data)));
  if (page.picture(learning_chart(results, data, data))) page.line(curve_caption);
}

}  // namespace detail

/// `image_prefix` is the way from the page to its pictures: "images/". Data sets without results are left
/// out.
[[nodiscard]] inline ResultsPage render_results(ResultFile const& results, std::string image_prefix) {
  detail::PageWriter page{std::move(image_prefix)};
  detail::write_fashion(page, results);
  detail::write_drawn(page, results, "shapes", "Shapes");
  detail::write_drawn(page, results, "glyphs", "Glyphs");
  return page.take();
}

}  // namespace experiments
