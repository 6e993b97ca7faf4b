// HtmlReport: the report of a run as one HTML file without other files: text, tables, pictures (PNG as data
// URIs) and charts (inline SVG). It can be read on a phone, on paper, and on a dark background.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/picture.hpp>
#include <diffsiam/io/png.hpp>
#include <diffsiam/report/base64.hpp>
#include <diffsiam/report/chart.hpp>
#include <diffsiam/report/heat_map.hpp>
#include <diffsiam/report/html_style.hpp>
#include <diffsiam/report/markup.hpp>

namespace diffsiam::report {

/// A table. Columns whose cells are all numbers (or empty) are aligned at the right.
/// `header` names the columns, `rows` are the cells, all of them plain text, and `caption` stands above; it
/// may be empty.
struct Table {
  std::vector<std::string> header{};
  std::vector<std::vector<std::string>> rows{};
  std::string caption{};
};

/// How a picture is shown.
struct PictureOptions {
  std::string caption{};  ///< plain text below the picture; empty: none
  int scale = 1;          ///< each pixel is shown as scale x scale pixels; the file stays small
};

namespace detail {

/// Whether a cell is a number, perhaps with other characters: 12, -0.5, 1e-4, 83.1 %, 0.81 ± 0.02, 1,000; or
/// a dash for "none".
[[nodiscard]] inline bool looks_numeric(std::string_view cell) {
  constexpr std::string_view digits = "0123456789";
  if (cell.empty() || cell == "-" || cell == "\u2013" || cell == "\u2014") return true;
  std::size_t const start = cell.find_first_not_of("+-. ~<>");
  if (start == std::string_view::npos || digits.find(cell[start]) == std::string_view::npos) {
    return cell.starts_with("\u2212") && looks_numeric(cell.substr(3));
  }
  for (std::size_t i = start; i < cell.size(); ++i) {
    if (cell.substr(i).starts_with("\u00b1")) {
      ++i;
    } else if (digits.find(cell[i]) == std::string_view::npos &&
               std::string_view("+-.,eE% ").find(cell[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace detail

/// One section of a report. Each call appends something and returns the section, so calls can be chained.
class ReportSection {
 public:
  /// `title` is plain text.
  explicit ReportSection(std::string title) : title_(std::move(title)) {}

  /// Appends a paragraph of plain text.
  ReportSection& text(std::string_view paragraph) {
    return append("<p>" + escape_markup(paragraph) + "</p>\n", false);
  }

  /// Appends text whose spaces and line breaks are kept, such as a configuration.
  ReportSection& preformatted(std::string_view content) {
    return append("<pre>" + escape_markup(content) + "</pre>\n", false);
  }

  /// Appends a table. Throws ShapeError if a row has not as many cells as the header.
  ReportSection& table(Table const& table) {
    std::vector<bool> numeric(table.header.size(), true);
    for (auto const& row : table.rows) {
      if (row.size() != table.header.size())
        fail<ShapeError>("HtmlReport::table", std::to_string(table.header.size()) + " cells a row",
                         row.size());
      for (std::size_t c = 0; c < row.size(); ++c) numeric[c] = numeric[c] && detail::looks_numeric(row[c]);
    }
    std::string html = "<div class=\"table\"><table>";
    if (!table.caption.empty()) html += "<caption>" + escape_markup(table.caption) + "</caption>";
    html += "<thead>" + table_row(table.header, numeric, "th scope=\"col\"", "th") + "</thead>\n<tbody>";
    for (auto const& row : table.rows) html += table_row(row, numeric, "td", "td") + "\n";
    return append(html + "</tbody></table></div>\n", false);
  }

  /// Appends a picture. Throws ShapeError if the number of pixels does not fit its extents.
  ReportSection& picture(io::Picture const& picture, PictureOptions const& options = {}) {
    std::int64_t const scale = std::max(options.scale, 1);
    std::string const html = "<figure><img alt=\"" + escape_markup(options.caption) + "\" width=\"" +
                             std::to_string(picture.width * scale) + "\" height=\"" +
                             std::to_string(picture.height * scale) + "\" src=\"data:image/png;base64," +
                             encode_base64(io::encode_png(picture)) + "\">" + caption(options.caption) +
                             "</figure>\n";
    return append(html, true);
  }

  /// Appends a chart. Throws as render_chart.
  ReportSection& chart(Chart const& chart, std::string_view caption_text = {}) {
    return append("<figure>" + render_chart(chart) + caption(caption_text) + "</figure>\n", true);
  }

  /// Appends a heat map. Throws as render_heat_map.
  ReportSection& heat_map(HeatMap const& map, std::string_view caption_text = {}) {
    return append("<figure>" + render_heat_map(map) + caption(caption_text) + "</figure>\n", true);
  }

  [[nodiscard]] std::string const& title() const& { return title_; }
  [[nodiscard]] std::string title() const&& { return title_; }

  /// The section as HTML. Figures that follow each other stand side by side if there is space.
  [[nodiscard]] std::string html(std::string_view anchor) const {
    std::string result =
        "<section id=\"" + std::string(anchor) + "\">\n<h2>" + escape_markup(title_) + "</h2>\n";
    bool inside = false;
    for (auto const& [content, is_figure] : blocks_) {
      if (is_figure != inside) result += is_figure ? "<div class=\"figures\">\n" : "</div>\n";
      inside = is_figure;
      result += content;
    }
    return result + (inside ? "</div>\n" : "") + "</section>\n";
  }

 private:
  struct Block {
    std::string content;
    bool is_figure;
  };

  ReportSection& append(std::string content, bool is_figure) {
    blocks_.push_back({std::move(content), is_figure});
    return *this;
  }
  [[nodiscard]] static std::string caption(std::string_view text) {
    return text.empty() ? std::string() : "<figcaption>" + escape_markup(text) + "</figcaption>";
  }
  [[nodiscard]] static std::string table_row(std::vector<std::string> const& cells,
                                             std::vector<bool> const& numeric, std::string_view opening,
                                             std::string_view closing) {
    std::string html = "<tr>";
    for (std::size_t c = 0; c < cells.size(); ++c) {
      html.append("<").append(opening).append(numeric[c] ? " class=\"number\">" : ">");
      html.append(escape_markup(cells[c])).append("</").append(closing).append(">");
    }
    return html + "</tr>";
  }

  std::string title_;
  std::vector<Block> blocks_;
};

/// The `title` of the page and the `intro` below it, both plain text.
struct ReportConfig {
  std::string title = "Report";
  std::string intro{};
};

/// A report with its sections, in the order in which they were added.
class HtmlReport {
 public:
  /// A report without sections.
  explicit HtmlReport(ReportConfig config) : config_(std::move(config)) {}

  /// Adds a section at the end. The reference stays valid as long as the report.
  ReportSection& section(std::string title) & { return sections_.emplace_back(std::move(title)); }

  /// The whole document.
  [[nodiscard]] std::string html() const {
    std::string const title = escape_markup(config_.title);
    std::string result =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
        title + "</title>\n<style>\n" + std::string(report_style) +
        "</style>\n</head>\n<body>\n<main>\n<h1>" + title + "</h1>\n";
    if (!config_.intro.empty()) result += "<p class=\"intro\">" + escape_markup(config_.intro) + "</p>\n";
    if (sections_.size() > 3) result += contents();
    for (std::size_t i = 0; i < sections_.size(); ++i) result += sections_[i].html(anchor(i));
    return result + "</main>\n</body>\n</html>\n";
  }

  /// Replaces `path` by the report, atomically. Throws FileError; the old file is unchanged then.
  void write(std::filesystem::path const& path) const { io::write_file(path, html()); }

 private:
  [[nodiscard]] static std::string anchor(std::size_t index) {
    return "section-" + std::to_string(index + 1);
  }
  [[nodiscard]] std::string contents() const {
    std::string html = "<nav aria-label=\"Contents\"><ul>\n";
    for (std::size_t i = 0; i < sections_.size(); ++i)
      html += "<li><a href=\"#" + anchor(i) + "\">" + escape_markup(sections_[i].title()) + "</a></li>\n";
    return html + "</ul></nav>\n";
  }

  ReportConfig config_;
  std::deque<ReportSection> sections_;
};

}  // namespace diffsiam::report
