// How fast pictures of a folder become batches: decoded as they are needed, and from a cache file. One JSON
// line. peers/read_pictures.py runs it in turn with PyTorch's DataLoader.
//
//   build/bench/benchmarks/read_pictures FOLDER --size 32 --workers 2

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <diffsiam/data/loader.hpp>
#include <diffsiam/data/picture_cache.hpp>
#include <diffsiam/data/picture_folder.hpp>

namespace {

namespace ds = diffsiam;

/// Batches of 64 in random order, once through the set.
double pictures_per_second(ds::data::Dataset const& pictures, int workers) {
  auto const start = std::chrono::steady_clock::now();
  ds::data::Loader loader{
      pictures, {.batch_size = 64, .drop_last = false, .prefetch = 2 * workers, .threads = workers}};
  ds::Index count = 0;
  for (auto const& batch : loader) count += batch.shape.samples();
  std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
  return static_cast<double>(count) / seconds.count();
}

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path folder, list, cache = "pictures.cache.safetensors";
  int size = 32, workers = 2;
  CLI::App app{"How fast pictures of a folder become batches. Prints one JSON line.", "read_pictures"};
  app.add_option("folder", folder, "of pictures")->required();
  app.add_option("--list", list, "a table of lines file,label: which of them");
  app.add_option("--cache", cache, "the cache file, which stays")->capture_default_str();
  app.add_option("--size", size, "side of the result")->check(CLI::Range(1, 1024));
  app.add_option("--workers", workers, "threads that decode")->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);

  ds::data::PictureFolder const source{
      list.empty() ? ds::data::list_pictures(folder) : ds::data::list_pictures(folder, list),
      {.height = size, .width = size, .channels = 3}};
  ds::ThreadPool threads{workers};
  double const decoded = pictures_per_second(ds::data::Dataset{source}, workers);
  auto const start = std::chrono::steady_clock::now();
  auto const cached = ds::data::cache_pictures(source, {.path = cache}, threads);
  std::chrono::duration<double> const built = std::chrono::steady_clock::now() - start;
  nlohmann::ordered_json const record{
      {"benchmark", "read_pictures"},
      {"pictures", source.size()},
      {"size", size},
      {"workers", workers},
      {"decoded_per_second", decoded},
      {"cache_seconds", cached.built ? nlohmann::ordered_json(built.count()) : nullptr},
      {"cached_per_second", pictures_per_second(cached.pictures, workers)}};
  std::cout << record << '\n';
} catch (std::exception const& error) {
  std::cerr << "read_pictures: " << error.what() << '\n';
  return 1;
}
