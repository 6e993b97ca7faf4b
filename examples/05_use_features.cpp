// Features in your own program: loads the weights of a run of the main job and looks up pictures that are
// alike in some subsets of z, fine or coarse. Draws each query with its neighbours by the first quarter, the
// last quarter and all of z.
//
//   cmake --build build/demo --target use_features         (scripts/demo makes build/demo and runs/demo)
//   build/demo/examples/use_features runs/demo

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <vector>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/io/published_weights.hpp>

#include <experiments/support/json_file.hpp>
#include <experiments/support/program.hpp>
#include <experiments/support/report.hpp>

namespace {

using namespace example;
using B = ds::backend::Cpu<float>;

/// Indices of the `count` rows of `z` most alike to row `query` in the columns `dims`, by cosine, the query
/// left out.
std::vector<ds::Index> most_alike(std::vector<float> const& z, ds::Index width, ds::Index query,
                                  ds::encoder::Dims dims, int count) {
  ds::Index const rows = static_cast<ds::Index>(z.size()) / width;
  auto const dot = [&](ds::Index a, ds::Index b) {
    double sum = 0;
    for (ds::Index j = dims.begin; j < dims.end; ++j)
      sum += static_cast<double>(z[static_cast<std::size_t>(a * width + j)]) *
             static_cast<double>(z[static_cast<std::size_t>(b * width + j)]);
    return sum;
  };
  std::vector<double> likeness(static_cast<std::size_t>(rows));
  for (ds::Index row = 0; row < rows; ++row)
    likeness[static_cast<std::size_t>(row)] = dot(query, row) / std::sqrt(dot(row, row) + 1e-12);
  likeness[static_cast<std::size_t>(query)] = -1e30;
  std::vector<ds::Index> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](ds::Index a, ds::Index b) {
    return likeness[static_cast<std::size_t>(a)] > likeness[static_cast<std::size_t>(b)];
  });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

void run(std::filesystem::path const& folder) {
  auto const path = folder / "config.json";
  auto const settings = read_json(path);
  RunConfig config;
  config.latent_dims = whole_number_of(settings, path, "latent_dims", 1, 4096);
  config.subsets = whole_number_of(settings, path, "subsets", 1, config.latent_dims);
  if (settings.contains("encoder_width"))
    config.encoder_width = whole_number_of(settings, path, "encoder_width", 1, 16);

  B::Context context;
  ds::ModularEncoder<B> const encoder{context, encoder_config<B>(config)};
  ds::io::load_weights(folder / "diffsiam.safetensors", encoder, "encoder.");
  auto const test = ds::data::load_fashion_mnist().test;
  std::vector<float> const z = encode_all(context, encoder, test);

  auto const& partition = encoder.partition();
  int const quarter = std::max(1, partition.subsets() / 4);
  std::vector<ds::encoder::Dims> const parts{
      {0, partition.end(quarter - 1)},
      {partition.begin(partition.subsets() - quarter), partition.dims()},
      {0, partition.dims()}};
  std::vector<ds::Index> chosen;
  for (ds::Index const query : {0, 1, 2, 4, 8, 11}) {
    for (auto const& dims : parts) {
      chosen.push_back(query);
      auto const found = most_alike(z, partition.dims(), query, dims, 8);
      chosen.insert(chosen.end(), found.begin(), found.end());
    }
  }
  auto const part = test.subset(chosen);
  auto const units = part.units();
  auto const pictures =
      ds::io::pictures_from_unit(std::span<float const>{units}, static_cast<int>(part.size()), 28, 28, 1);
  ds::io::write_png(folder / "retrieval.png", ds::io::upscale(ds::io::grid(pictures, 9, 2), 2));
  std::printf(
      "%s: a query and its eight neighbours a row; by the fine quarter, the coarse quarter and all of z in "
      "turn\n",
      (folder / "retrieval.png").c_str());
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder;
  CLI::App app{"Looks up pictures that are alike in some subsets of z, and draws them.", "use_features"};
  app.add_option("folder", folder, "of a run of train_diffsiam; gains retrieval.png")->required();
  return example::run_program(app, argc, argv, [&] { run(folder); });
}
