#include <cmath>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/report/well_formed.hpp>
#include <tests/support/catch.hpp>

#include <experiments/pages/results_page.hpp>

using namespace experiments;
using diffsiam::FileError;
using diffsiam::test::contains;
using diffsiam::test::message_of;

namespace {

using Rows = std::vector<std::vector<std::string>>;

/// Two methods by three factors, of which "y" is lost first, and two subsets; seeds 2 and 3.
ResultFile shapes_results(diffsiam::test::Scratch const& scratch) {
  ResultFile results{scratch / "results.jsonl"};
  for (std::uint64_t const seed : {3U, 2U}) {
    std::vector<Measured> entries{
        {.measure = "probe_while_training", .value = 0.5, .step = 10},
        {.measure = "probe_while_training", .value = seed == 2 ? 0.5 : 0.75, .step = 20}};
    double at = 0.125;
    for (char const* factor : {"x", "stripe_phase", "y"}) {
      std::string const name = factor;
      entries.push_back({.measure = "linear_probe." + name, .value = at});
      for (int i = 0; i < 2; ++i)
        entries.push_back({.measure = "alone." + std::to_string(i) + "." + name, .value = at * i});
      entries.push_back({.measure = "found_at." + name, .value = 1000});
      if (name != "x") entries.push_back({.measure = "lost_at." + name, .value = name == "y" ? 0 : 250.0});
      at *= 2;
    }
    results.append({"shapes", "diffsiam", seed}, 64, entries);
  }
  results.append({"shapes", "denoiser_features", 2}, 64,
                 {{.measure = "probe_while_training", .value = 0.5, .step = 300}});
  return results;
}

}  // namespace

TEST_CASE("mean and deviation are those of the sample", "[experiments]") {
  Spread const three = spread_of({{0, 2}, {1, 4}, {5, 9}});
  CHECK(three.count == 3);
  CHECK(three.mean == Approx(5));
  CHECK(three.deviation.value() == Approx(std::sqrt(13.0)));  // (9 + 1 + 16) / 2
  Spread const one = spread_of({{7, 0.25}});
  CHECK(one.mean == 0.25);
  CHECK_FALSE(one.deviation);
  CHECK(spread_of({}).count == 0);
  Spread const gap = spread_of({{0, 1}, {1, NAN}, {2, 3}});
  CHECK(gap.count == 2);
  CHECK(gap.mean == Approx(2));
  CHECK(gap.deviation.value() == Approx(std::sqrt(2.0)));
}

TEST_CASE("differences are between equal seeds only", "[experiments]") {
  BySeed const difference = paired_difference({{0, 5}, {1, 7}, {3, 9}}, {{1, 2}, {2, 8}, {3, 10}});
  CHECK(difference == BySeed{{1, 5}, {3, -1}});
  CHECK(paired_difference({{0, 1}}, {{1, 1}}).empty());
}

TEST_CASE("a spread is written with its deviation where it has one", "[experiments]") {
  CHECK(written(Spread{3, 0.8354, 0.0021}, percent_style) == "83.5 \u00b1 0.2");
  CHECK(written(Spread{1, 0.8354, {}}, percent_style) == "83.5");
  CHECK(written(Spread{}, percent_style) == "\u2013");
  NumberStyle const signs{.scale = 1, .decimals = 2, .sign = true};
  CHECK(written(Spread{2, 1.5, 0.25}, signs) == "+1.50 \u00b1 0.25");
  CHECK(written(Spread{2, -1.5, 0.25}, signs) == "-1.50 \u00b1 0.25");
}

TEST_CASE("a table is Markdown with numbers to the right", "[experiments]") {
  MarkdownTable const table{.header = {"method", "a"}, .rows = {{"PCA", "1"}, {"raw", "2"}}, .note = "Why."};
  CHECK(table.text() == "| method | a |\n|---|---:|\n| PCA | 1 |\n| raw | 2 |\n\nWhy.\n");
  CHECK(MarkdownTable{.header = {"method"}, .note = "Why."}.text().empty());
}

TEST_CASE("what stands between the markers is replaced, all else is kept", "[experiments]") {
  std::string const page = "a\n<!-- results:begin -->\nold\nolder\n<!-- results:end -->\nb";
  std::string const once = between_markers(page, "new\n");
  CHECK(once == "a\n<!-- results:begin -->\n\nnew\n\n<!-- results:end -->\nb");
  CHECK(between_markers(once, "new\n") == once);
  CHECK(between_markers("<!-- results:begin -->\n<!-- results:end -->", "") ==
        "<!-- results:begin -->\n\n\n<!-- results:end -->");
}

TEST_CASE("a page without its markers is refused", "[experiments]") {
  auto const message = [](std::string const& page) {
    return message_of<FileError>([&] { (void)between_markers(page, ""); });
  };
  std::string const begin{begin_marker}, end{end_marker};
  CHECK(message("a\n" + end + "\n") ==
        "between_markers: expected one line '<!-- results:begin -->' in the page, got 0; the tables are "
        "written "
        "between it and its counterpart");
  CHECK(contains(message(begin + "\nthe " + end + " inside a line\n"),
                 "one line '<!-- results:end -->' in the page, got 0"));
  CHECK(contains(message(begin + "\n" + begin + "\n" + end), "in the page, got 2"));
  CHECK(message(end + "\n" + begin + "\n") ==
        "between_markers: expected '<!-- results:begin -->' before '<!-- results:end -->', got the other "
        "order");
}

TEST_CASE("rows keep the order of methods, and the best without labels is bold", "[experiments]") {
  diffsiam::test::Scratch const scratch;
  ResultFile results{scratch / "results.jsonl"};
  auto const add = [&](char const* method, std::uint64_t seed, double value) {
    results.append({"fashion", method, seed}, 64, {{.measure = "linear_probe", .value = value}});
  };
  add("supervised", 0, 0.95);
  add("mine", 0, 0.5);
  add("pca", 0, 0.80004);
  add("diffsiam", 0, 0.79);
  add("diffsiam", 1, 0.81);
  MarkdownTable const table = score_table(results, "fashion", {{"probe", "linear_probe", percent_style}},
                                          Lead::dims_and_seeds, "What.");
  CHECK(table.header == std::vector<std::string>{"method", "dims", "seeds", "probe"});
  // 80.0 and 80.004 are written alike, so none of the two is called the better one.
  CHECK(table.rows == Rows{{"DiffSiam", "64", "2", "**80.0 \u00b1 1.4**"},
                           {"PCA", "64", "1", "**80.0**"},
                           {"mine", "64", "1", "50.0"},
                           {"supervised (ceiling)", "64", "1", "95.0"}});
  CHECK(table.note == "1 to 2 seeds a method. What.");
  results.append({"fashion", "wide_pca", 0}, 512, {{.measure = "linear_probe", .value = 0.9}});
  results.append({"fashion", "raw_pixels", 0}, 784, {{.measure = "linear_probe", .value = 0.7}});
  MarkdownTable const differences = difference_table(results, "fashion", named(methods, "test", "diffsiam"));
  CHECK(differences.header.front() == "DiffSiam minus");
  CHECK(differences.rows ==  // without the wide one
        Rows{{"PCA", "-1.00", "\u2013", "1, 0"},
             {"raw pixels", "+9.00", "\u2013", "1, 0"},
             {"mine", "+29.00", "\u2013", "1, 0"},
             {"supervised (ceiling)", "-16.00", "\u2013", "1, 0"}});
  CHECK(score_table(results, "shapes", {{"probe", "linear_probe"}}, Lead::none, "").rows.empty());
}

TEST_CASE("factors stand in the order in which they are lost", "[experiments]") {
  diffsiam::test::Scratch const scratch;
  ResultFile const results = shapes_results(scratch);
  CHECK(factors_of(results, "shapes") == std::vector<std::string>{"x", "stripe_phase", "y"});
  CHECK(factors_by_loss(results, "shapes", "diffsiam") == std::vector<std::string>{"y", "stripe_phase", "x"});
  MarkdownTable const order = order_table(results, "shapes");
  std::string const none = "\u2013";
  // Columns of what nobody measured are left out, and so are their sentences.
  CHECK(order.header == std::vector<std::string>{"factor", "lost at t", "found at t"});
  CHECK(order.rows == Rows{{"y", "0", "1000 \u00b1 0"},
                           {"stripe phase", "250", "1000 \u00b1 0"},
                           {"x", none, "1000 \u00b1 0"}});
  CHECK_FALSE(contains(order.note, "Relied on"));
  CHECK(order.note.starts_with("2 seeds of DiffSiam."));
}

TEST_CASE("pictures are files that need no colours of a page", "[experiments]") {
  diffsiam::test::Scratch const scratch;
  ResultFile const results = shapes_results(scratch);
  auto const map = subset_map(results, "shapes", {"diffsiam", "DiffSiam"});
  auto const chart = learning_chart(results, "shapes", "shapes");
  REQUIRE(map);
  REQUIRE(chart);
  CHECK(map->file == "shapes_subsets_diffsiam.svg");
  CHECK(contains(map->alternative, "seed 2"));
  CHECK(contains(map->svg, ">stripe phase</text>"));
  CHECK(contains(map->svg, "for 500 time-steps each"));
  CHECK(chart->file == "shapes_while_training.svg");
  CHECK_FALSE(contains(chart->svg, "activations"));  // their steps are another axis
  for (std::string svg : {map->svg, chart->svg}) {
    CHECK(svg.ends_with("</svg>\n"));
    svg.pop_back();
    CHECK(diffsiam::test::well_formed(svg));
    CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"508\" height=\""));
    CHECK(contains(svg, "fill=\"#ffffff\"/>"));
    CHECK_FALSE(contains(svg, "currentColor"));
    CHECK_FALSE(contains(svg, "nan"));
  }
  CHECK_FALSE(subset_map(results, "shapes", {"denoiser_features", ""}));
  CHECK_FALSE(learning_chart(results, "fashion", "Fashion-MNIST"));
}

TEST_CASE("lines that are no results are refused with the file's name", "[experiments]") {
  diffsiam::test::Scratch const scratch;
  for (char const* line : {"{}", "{\"value\":1,\"seed\":\"two\"}", "{\"value\":1,\"step\":null}"}) {
    diffsiam::io::write_file(scratch / "results.jsonl", std::string(line) + "\n");
    std::string const message = message_of<FileError>([&] { ResultFile{scratch / "results.jsonl"}; });
    CHECK(contains(message, "lines of results in '"));
    CHECK(contains(message, "results.jsonl'"));
  }
}
