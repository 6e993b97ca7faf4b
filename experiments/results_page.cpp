// Renders the results kept by compare_methods into a page: tables between two marker lines of its Markdown,
// and pictures beside it. Everything else on the page is kept.
//
//   cmake --build build/demo --target results_page         (scripts/demo makes build/demo)
//   build/demo/experiments/results_page --results docs/results.jsonl --page docs/results.md --images
//   docs/images
//
// ctest: --results @SOURCE@/tests/experiments/results.jsonl --text @SOURCE@/tests/experiments/page.md
// --page @OUT@/page.md --images @OUT@/images

#include <cstdio>
#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include <diffsiam/io/file.hpp>

#include <experiments/pages/results_page.hpp>
#include <experiments/support/program.hpp>

namespace {

namespace fs = std::filesystem;
using namespace experiments;

struct Options {
  fs::path results = "docs/results.jsonl", page = "docs/results.md", images = "docs/images";
  fs::path text;
};

std::string read_text(fs::path const& path) {
  auto const bytes = ds::io::read_file(path);
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

fs::path folder_of(fs::path const& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

void run(Options const& options) {
  if (!ds::io::file_exists(options.results))
    ds::fail<ds::FileError>("--results", "a file of results", options.results.string(),
                            "compare_methods writes it");
  ResultFile const results{options.results};
  std::string const before = read_text(options.text.empty() ? options.page : options.text);
  fs::path const way = fs::absolute(options.images)
                           .lexically_normal()
                           .lexically_relative(fs::absolute(folder_of(options.page)).lexically_normal());
  ResultsPage const page = render_results(results, way.generic_string() + "/");
  std::string const after = between_markers(before, page.markdown);
  ds::io::create_folder(options.images);
  ds::io::create_folder(folder_of(options.page));
  for (PagePicture const& picture : page.pictures)
    ds::io::write_file(options.images / picture.file, picture.svg);
  ds::io::write_file(options.page, after);
  std::printf("%s and %zu pictures in %s\n", options.page.c_str(), page.pictures.size(),
              options.images.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Renders results into a page.", "results_page"};
  app.add_option("--results", options.results, "JSON lines of compare_methods")->capture_default_str();
  app.add_option("--page", options.page, "Markdown that gains the tables")->capture_default_str();
  app.add_option("--images", options.images, "folder of the pictures")->capture_default_str();
  app.add_option("--text", options.text, "Markdown whose text the page takes over (default: its own)");
  return run_program(app, argc, argv, [&] { run(options); });
}
