// Features in your own program: loads the encoder of a run (scripts/demo's, or learn_features') and draws
// pictures with their neighbours by the fine quarter of z, the coarse quarter, and all of z.
//
//   cmake --build build/demo --target use_features         (scripts/demo makes build/demo and runs/demo)
//   build/demo/examples/use_features runs/demo
#include <filesystem>
#include <iostream>
#include <numeric>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/version.hpp>
#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/eval/encode.hpp>
#include <diffsiam/eval/neighbour_index.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/io/png.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

int main(int argc, char** argv) try {
  std::filesystem::path folder;
  CLI::App app{"Looks up pictures that are alike in some subsets of z, and draws them.", "use_features"};
  app.set_version_flag("--version", "use_features " + ds::version());
  app.add_option("folder", folder, "of a run; gains retrieval.png")->required();
  CLI11_PARSE(app, argc, argv);

  B::Context context;
  ds::ModularEncoder<B> const encoder =
      ds::load<ds::ModularEncoder<B>>(context, folder / "model.safetensors");
  auto const test = ds::data::load_fashion_mnist().test;
  std::vector<float> const z = ds::eval::encode(context, encoder, test);  // (10000, dims)

  // An index for each choice of subsets; queries are whole rows of z.
  ds::eval::Features const all{z, test.size(), encoder.partition().dims()};
  int const subsets = encoder.partition().subsets(), quarter = std::max(1, subsets / 4);
  std::vector<ds::eval::NeighbourIndex> indices;
  for (auto const& [first, last] : {std::pair{0, quarter}, {subsets - quarter, subsets}, {0, subsets}}) {
    std::vector<int> chosen(static_cast<std::size_t>(last - first));
    std::iota(chosen.begin(), chosen.end(), first);
    indices.push_back(ds::eval::NeighbourIndex::over<ds::eval::ExactIndex>(
        all, ds::eval::Columns::of(encoder.partition(), chosen)));
  }
  std::vector<ds::Index> shown;
  for (ds::Index const query : {0, 1, 2, 4, 8, 11}) {
    for (auto const& index : indices) {
      auto const nearest = index.search({{all.row(query), all.row(query + 1)}, 1, all.dims}, 9);
      for (auto const& neighbour : nearest.of(0)) shown.push_back(neighbour.index);  // itself first
    }
  }
  auto const units = test.subset(shown).units();
  auto const pictures =
      ds::io::pictures_from_unit(std::span{units}, static_cast<int>(shown.size()), 28, 28, 1);
  ds::io::write_png(folder / "retrieval.png", ds::io::upscale(ds::io::grid(pictures, 9, 2), 2));
  std::cout << folder / "retrieval.png" << ": a row a query, by fine, coarse and all subsets in turn\n";
} catch (std::exception const& error) {
  std::cerr << "use_features: " << error.what() << '\n';
  return 1;
}
