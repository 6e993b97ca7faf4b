// Features in an application: finds the pictures of a run that are most like a given one, by all of z or by
// chosen subsets, and edits it towards a class.
//
//   cmake --build build/demo --target find_pictures        (scripts/demo --data DIR makes build/demo and a
//   run) build/demo/examples/find_pictures runs/mine photo.png --subsets 12 13 14 15 --towards flowers
#include <chrono>
#include <filesystem>
#include <iostream>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/version.hpp>
#include <diffsiam/data/picture_folder.hpp>
#include <diffsiam/data/to_tensor.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/eval/class_direction.hpp>
#include <diffsiam/eval/feature_files.hpp>
#include <diffsiam/eval/neighbour_index.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/io/png.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

int main(int argc, char** argv) try {
  std::filesystem::path folder, picture, out = "found.png";
  std::vector<int> subsets;
  std::string towards;
  constexpr int shown = 6;
  CLI::App app{"Finds pictures of a run that are like a given one, and edits it.", "find_pictures"};
  app.set_version_flag("--version", "find_pictures " + ds::version());
  app.add_option("folder", folder, "of a run on a folder of pictures")->required();
  app.add_option("picture", picture, "PNG, JPEG or WebP")->required();
  app.add_option("--subsets", subsets, "of z that are compared, from 0; all if left out");
  app.add_option("--towards", towards, "a class that the picture is moved towards");
  app.add_option("--out", out, "a PNG: the picture and what is found; below, the edits");
  CLI11_PARSE(app, argc, argv);
  B::Context context{{.threads = 1}};
  auto const model = ds::load<ds::DiffSiam<B>>(context, folder / "model.safetensors");
  auto const known = ds::eval::read_features(folder / "features.safetensors");
  if (known.names.empty()) throw ds::ConfigError("the pictures of " + folder.string() + " are no files");
  auto const columns = subsets.empty() ? ds::eval::Columns::all(known.dims)
                                       : ds::eval::Columns::of(model.partition(), subsets);
  auto const index = ds::eval::NeighbourIndex::over<ds::eval::ExactIndex>(known.features(), columns);
  // Before any work, since there may be no such class.
  auto const direction = towards.empty() ? std::vector<float>{} : ds::eval::class_direction(known, towards);
  auto const& sizes = model.encoder().backbone().config();
  int const side = static_cast<int>(sizes.height), channels = static_cast<int>(sizes.in_channels);
  ds::data::FitConfig const fit{.height = side, .width = side, .channels = channels};
  auto const read = [&](std::vector<std::string> const& paths) {
    ds::data::Dataset const set{ds::data::PictureFolder{{"", paths}, fit}};
    return ds::data::to_tensor<B>(context, set);
  };

  auto const start = std::chrono::steady_clock::now();
  auto const x_0 = read({picture.string()});
  auto const z = model.encode(x_0);
  auto const nearest = index.search({z.values<float>(), 1, known.dims}, shown);
  std::chrono::duration<double, std::milli> const took = std::chrono::steady_clock::now() - start;
  std::cout << "found in " << took.count() << " ms\n";
  std::vector<std::string> paths{picture.string()};
  for (auto const& [i, similarity] : nearest.of(0)) {
    paths.push_back(known.names.at(static_cast<std::size_t>(i)));
    std::cout << similarity << "  " << paths.back() << '\n';
  }
  auto pictures = ds::io::pictures_from_unit(read(paths));

  if (!towards.empty()) {
    auto const grid = ds::TimeGrid::linspace(model.schedule().timesteps(), 50);
    auto const x_T = model.infer_noise(x_0, z, grid);
    auto const step = ds::Tensor<B>::from(context, z.shape(), std::span<float const>{direction});
    for (int i = 0; i <= shown; ++i)  // the picture itself, then farther and farther
      pictures.push_back(ds::io::pictures_from_unit(model.sample(x_T, z + 0.5 * i * step, grid)).front());
  }
  ds::io::write_png(out, ds::io::upscale(ds::io::grid(pictures, shown + 1, 2), 2));
} catch (std::exception const& error) {
  std::cerr << "find_pictures: " << error.what() << '\n';
  return 1;
}
