#include <string>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/report/html_report.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using report::HtmlReport;

TEST_CASE("text is escaped wherever it stands in a report", "[report][html_report]") {
  std::string const evil = "<script>alert(\"1\" & '2')</script>";
  HtmlReport report{{.title = evil, .intro = evil}};
  report.section(evil)
      .text(evil)
      .preformatted(evil)
      .table({.header = {evil}, .rows = {{evil}}, .caption = evil})
      .picture(io::blank_picture(1, 1, 1, 0), {.caption = evil})
      .chart(
          {.title = evil, .x_label = evil, .y_label = evil, .series = {{.name = evil, .x = {1}, .y = {1}}}},
          evil)
      .heat_map({.title = evil, .x_label = evil, .rows = {evil}, .columns = {evil}, .values = {1}}, evil);
  std::string const html = report.html();
  CHECK_FALSE(contains(html, "<script"));
  CHECK_FALSE(contains(html, "alert(\""));
  CHECK(contains(html, "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;"));
}

TEST_CASE("a report is one document that asks for nothing from elsewhere", "[report][html_report]") {
  HtmlReport report{{.title = "Run", .intro = "What was learned."}};
  report.section("Pictures").picture(io::blank_picture(2, 3, 3, 7), {.caption = "gray", .scale = 4});
  std::string const html = report.html();
  CHECK(html.starts_with("<!DOCTYPE html>"));
  CHECK(html.ends_with("</html>\n"));
  CHECK(
      contains(html, "<img alt=\"gray\" width=\"12\" height=\"8\" src=\"data:image/png;base64,iVBORw0KGgo"));
  CHECK(contains(html, "<figcaption>gray</figcaption>"));
  CHECK(contains(html, "image-rendering: pixelated"));
  CHECK(contains(html, "prefers-color-scheme: dark"));
  CHECK_FALSE(contains(html, "src=\"http"));
  CHECK_FALSE(contains(html, "href=\"http"));
  CHECK_FALSE(contains(html, "@import"));
  CHECK_FALSE(contains(html, "url("));
  CHECK_FALSE(contains(html, "<nav"));
}

TEST_CASE("columns of numbers are set to the right, others are not", "[report][html_report]") {
  HtmlReport report{{}};
  report.section("Table").table(
      {.header = {"features", "accuracy", "mixed"},
       .rows = {{"PCA", "0.830 \u00b1 0.001", "12"}, {"raw", "\u2013", "a dozen"}}});
  std::string const html = report.html();
  CHECK(contains(html,
                 "<th scope=\"col\">features</th><th scope=\"col\" class=\"number\">accuracy</th><th "
                 "scope=\"col\">mixed</th>"));
  CHECK(contains(html, "<td>PCA</td><td class=\"number\">0.830 \u00b1 0.001</td><td>12</td>"));
  for (char const* number : {"1", "-0.5", "+3", "1e-4", "83.1 %", "1,000", ".5", "\u22122", "", "-", "~3"})
    CHECK(report::detail::looks_numeric(number));
  for (char const* text : {"a", "e5", "12 px", "1a", "NaN", "--x", "\u2212x"})
    CHECK_FALSE(report::detail::looks_numeric(text));
}

TEST_CASE("figures that follow each other share a row, text starts a new one", "[report][html_report]") {
  HtmlReport report{{}};
  report::Chart const chart{.series = {{.x = {0, 1}, .y = {0, 1}}}};
  report.section("One").chart(chart).chart(chart).text("between").chart(chart);
  std::string const html = report.html();
  std::size_t rows = 0;
  for (std::size_t at = html.find("<div class=\"figures\">"); at != std::string::npos;
       at = html.find("<div class=\"figures\">", at + 1))
    ++rows;
  CHECK(rows == 2);
}

TEST_CASE("a report of many sections lists them, and references to sections stay good",
          "[report][html_report]") {
  HtmlReport report{{}};
  report::ReportSection& first = report.section("first");
  for (int i = 0; i < 20; ++i) report.section("more");
  first.text("added late");
  std::string const html = report.html();
  CHECK(contains(html, "<a href=\"#section-1\">first</a>"));
  CHECK(html.find("added late") < html.find("id=\"section-2\""));
}

TEST_CASE("a report is written atomically, and bad tables and pictures are refused",
          "[report][html_report]") {
  Scratch const scratch;
  HtmlReport report{{.title = "Run"}};
  report.write(scratch / "report.html");
  std::string const before = read_text(scratch / "report.html");
  CHECK(before == report.html());
  std::string const message =
      message_in_child([] { limit_file_size(1000); }, [&] { report.write(scratch / "report.html"); });
  CHECK(contains(message, "File too large"));
  CHECK(read_text(scratch / "report.html") == before);
  CHECK(scratch.file_count() == 1);

  report::ReportSection& section = report.section("Bad");
  CHECK(message_of<ShapeError>([&] { section.table({.header = {"a", "b"}, .rows = {{"1"}}}); }) ==
        "HtmlReport::table: expected 2 cells a row, got 1");
  CHECK_THROWS_AS(section.picture({.height = 2, .width = 2, .channels = 1, .pixels = {0}}), ShapeError);
}
