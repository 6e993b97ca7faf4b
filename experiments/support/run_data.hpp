// The pictures of the main job: what stands at --data is recognised, read, and cut into three parts.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/data/picture_cache.hpp>
#include <diffsiam/data/picture_folder.hpp>
#include <diffsiam/io/progress_line.hpp>

#include <experiments/support/interrupt.hpp>
#include <experiments/support/settings.hpp>

namespace experiments {

/// What the user says of the pictures.
struct DataOptions {
  std::filesystem::path data{ds::data::FashionMnist::debian_folder};
  ds::Index size = 0, channels = 0;  ///< 0: what the kind of data suggests
  std::string fit = "crop";
  std::string ground = "white";
  std::filesystem::path labels{};  ///< a table file,label; empty: sub-folders are the labels
  std::filesystem::path cache{};   ///< empty: in the folder of the run
  bool skip_unreadable = false, keep_duplicates = false;
};

/// The pictures of a run, and what is known of them.
struct RunData {
  Pictures pictures;
  std::vector<std::string> class_names{};
  std::vector<std::string> test_names{};  ///< of the files, where the pictures are files
  std::vector<std::string> found{};       ///< sentences for the user

  [[nodiscard]] bool labelled() const { return pictures.train.labelled(); }
};

/// What is known before the pictures are read.
struct DataPlan {
  std::string title;
  ds::Index size, channels;
  PartSizes parts;  ///< at most so many
  float flip;       ///< probability, in training the denoiser
  std::vector<std::string> found{};
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();  ///< all that the pictures depend on
  /// Reads the pictures; `cache` is a file for those that have to be decoded.
  std::function<RunData(std::filesystem::path const& cache, ds::ThreadPool& threads)> load;
};

/// A kind of data: how it is recognised, and planned.
struct DataKind {
  std::string_view name;
  bool (*recognises)(std::filesystem::path const& data);
  DataPlan (*plan)(DataOptions const& options);
};

namespace detail {

/// A tenth for validation, a fifth for the test, at most 5,000 and 10,000; the rest is for training.
[[nodiscard]] constexpr PartSizes parts_of(ds::Index pictures) {
  ds::Index const validation = std::min<ds::Index>(5000, pictures / 10),
                  test = std::min<ds::Index>(10000, pictures / 5);
  return {pictures - validation - test, validation, test};
}

inline void require_native(DataOptions const& options, std::string_view title, ds::Index size,
                           ds::Index channels) {
  if (options.size != 0 && options.size != size)
    ds::fail<ds::ConfigError>("--size", {size, ", as the pictures of ", title, " are"}, options.size);
  if (options.channels != 0 && options.channels != channels)
    ds::fail<ds::ConfigError>("--channels", {channels, ", as the pictures of ", title, " have"},
                              options.channels);
}

[[nodiscard]] inline bool is_fashion_mnist(std::filesystem::path const& data) {
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator(data, error))
    if (entry.path().filename().string().starts_with("train-images")) return true;
  return data == ds::data::FashionMnist::debian_folder;  // which says what to install
}
[[nodiscard]] inline DataPlan plan_fashion_mnist(DataOptions const& options) {
  require_native(options, "Fashion-MNIST", 28, 1);
  return {.title = "Fashion-MNIST",
          .size = 28,
          .channels = 1,
          .parts = fashion_parts,
          .flip = 0.5F,
          .load = [folder = options.data](std::filesystem::path const&, ds::ThreadPool&) {
            auto const fashion = ds::data::load_fashion_mnist(folder);
            // The split does not follow the run's seed: all runs are measured on the same pictures.
            auto const [train, validation] = fashion.train.split(fashion_parts.train, 0);
            auto const& names = ds::data::FashionMnist::class_names;
            return RunData{{train, validation, fashion.test}, {names.begin(), names.end()}};
          }};
}

inline constexpr std::array fits{std::pair{"crop", ds::data::Fit::crop}, std::pair{"pad", ds::data::Fit::pad},
                                 std::pair{"stretch", ds::data::Fit::stretch}};

[[nodiscard]] inline ds::data::FitConfig fit_of(DataOptions const& options, ds::Index size,
                                                ds::Index channels) {
  ds::data::FitConfig config{.height = static_cast<int>(size),
                             .width = static_cast<int>(size),
                             .channels = static_cast<int>(channels)};
  for (auto const& [name, fit] : fits)
    if (options.fit == name) config.fit = fit;
  if (options.ground == "black") config.ground = {0, 0, 0};
  return config;
}

/// What was found out while the pictures were decoded.
[[nodiscard]] inline std::vector<std::string> findings(ds::data::CachedPictures const& cached,
                                                       bool keep_duplicates) {
  auto const& [small, large] = std::pair{cached.smallest, cached.largest};
  std::vector<std::string> found{
      ds::text({cached.pictures.size(), " pictures, ", small.width, " to ", large.width, " pixels wide and ",
                small.height, " to ", large.height, " high"})};
  if (!cached.repeats.empty())
    found.push_back(ds::text(
        {cached.repeats.size(), " of them are equal to an earlier one at this size, and ",
         keep_duplicates ? "kept: a test picture may stand in the training part, too" : "left out"}));
  constexpr std::size_t shown = 5;
  for (std::size_t i = 0; i < std::min(shown, cached.unreadable.size()); ++i)
    found.push_back("skipped " + cached.unreadable[i].name + ": " + cached.unreadable[i].reason);
  if (cached.unreadable.size() > shown)
    found.push_back(ds::text({"skipped ", cached.unreadable.size() - shown, " more that cannot be read"}));
  return found;
}

/// A source by way of its cache file, cut into parts.
template <ds::data::CacheableSource S>
[[nodiscard]] RunData load_cached(S const& source, DataOptions const& options,
                                  std::filesystem::path const& cache, ds::ThreadPool& threads) {
  ds::io::ProgressLine line{std::cout,
                            {.total = source.size(), .label = "reading pictures", .unit = "pictures"}};
  StopOnSignals const signals;
  auto const cached =
      ds::data::cache_pictures(source,
                               {.path = cache,
                                .skip_unreadable = options.skip_unreadable,
                                .skip_hint = "--skip-unreadable",
                                .progress =
                                    [&](ds::Index done, ds::Index) {
                                      if (stop_requested)
                                        throw ds::Interrupted("stopped while pictures were read");
                                      line(done);
                                    }},
                               threads);
  std::vector<ds::Index> kept;
  for (ds::Index i = 0; i < cached.pictures.size(); ++i)
    if (options.keep_duplicates || !std::binary_search(cached.repeats.begin(), cached.repeats.end(), i))
      kept.push_back(i);
  PartSizes const parts = parts_of(static_cast<ds::Index>(kept.size()));
  // The split follows no seed: all runs are measured on the same pictures.
  auto const [known, test] = cached.pictures.subset(kept).split(parts.train + parts.validation, 0);
  auto const [train, validation] = known.split(parts.train, 0);
  RunData data{{train, validation, test}, cached.class_names, {}, findings(cached, options.keep_duplicates)};
  for (ds::Index i = 0; i < test.size(); ++i)
    data.test_names.push_back(cached.names[static_cast<std::size_t>(test.origin(i))]);
  return data;
}

[[nodiscard]] inline DataPlan plan_folder(DataOptions const& options) {
  namespace data = ds::data;
  auto files = options.labels.empty() ? data::list_pictures(options.data)
                                      : data::list_pictures(options.data, options.labels);
  ds::Index const size = options.size == 0 ? 32 : options.size,
                  channels = options.channels == 0 ? 3 : options.channels;
  auto const count = static_cast<ds::Index>(files.paths.size());
  std::vector<std::string> found{ds::text({count, " files of pictures in ", options.data.string()})};
  found.push_back(files.classes.empty()
                      ? "no classes: the pictures are not all in sub-folders, or in one alone"
                      : ds::text({files.classes.size(), " classes"}));
  std::filesystem::path const name = std::filesystem::absolute(options.data).lexically_normal();
  auto const fit = fit_of(options, size, channels);
  return {.title = (name.has_filename() ? name : name.parent_path()).filename().string(),
          .size = size,
          .channels = channels,
          .parts = parts_of(count),
          .flip = 0.5F,
          .found = std::move(found),
          .settings = {{"data", name.string()},
                       {"files", count},
                       {"labels", options.labels.string()},
                       {"fit", options.fit},
                       {"ground", options.ground},
                       {"skip_unreadable", options.skip_unreadable},
                       {"keep_duplicates", options.keep_duplicates}},
          .load = [source = data::PictureFolder{std::move(files), fit, {.ground = fit.ground}}, options](
                      std::filesystem::path const& cache, ds::ThreadPool& threads) {
            return load_cached(source, options, cache, threads);
          }};
}

/// In the order in which they are tried; the last one takes any folder.
inline constexpr std::array data_kinds{
    DataKind{"Fashion-MNIST", is_fashion_mnist, plan_fashion_mnist},
    DataKind{"a folder of pictures", [](std::filesystem::path const&) { return true; }, plan_folder},
};

}  // namespace detail

/// Recognises what stands at options.data; reads names, and no picture yet. Throws ConfigError for a size or
/// channels that the kind of data, or the networks, do not have, FileError for what cannot be read.
[[nodiscard]] inline DataPlan plan_data(DataOptions const& options) {
  auto const kind = std::find_if(detail::data_kinds.begin(), detail::data_kinds.end(),
                                 [&](DataKind const& each) { return each.recognises(options.data); });
  DataPlan plan = kind->plan(options);
  ds::Index const multiple = RunConfig::side_multiple(plan.size);
  if (plan.size % multiple != 0)
    ds::fail<ds::ConfigError>("--size", {"a multiple of ", multiple, ", since the denoiser halves the sides"},
                              plan.size);
  if (plan.parts.train < fewest_training_pictures)
    ds::fail<ds::ConfigError>(
        "--data", {fewest_training_pictures, " pictures or more for training"},
        {plan.parts.train, " and ", plan.parts.validation + plan.parts.test, " for validation and test"});
  return plan;
}

}  // namespace experiments
