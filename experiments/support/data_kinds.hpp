// The kinds of data that the main job recognises: a table, in the order in which they are tried.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <diffsiam/data/arrays.hpp>
#include <diffsiam/data/celeba.hpp>
#include <diffsiam/data/cifar.hpp>
#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/data/picture_folder.hpp>
#include <diffsiam/data/stl10.hpp>
#include <diffsiam/io/file.hpp>
#ifdef DIFFSIAM_WITH_LMDB
#include <diffsiam/data/lmdb_pictures.hpp>
#endif
#ifdef DIFFSIAM_WITH_NPZ
#include <diffsiam/data/npz_arrays.hpp>
#endif

#include <experiments/support/load_data.hpp>

namespace experiments {

/// A kind of data: how it is recognised, and planned.
struct DataKind {
  std::string_view name;
  bool (*recognises)(std::filesystem::path const& data);
  DataPlan (*plan)(DataOptions const& options);
  bool takes_labels = false;  ///< whether --labels says something of it
};

namespace detail {

using Path = std::filesystem::path;

[[nodiscard]] inline bool has_file(Path const& folder, char const* name) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(folder / name, ignored);
}
[[nodiscard]] inline Path absolute_path(Path const& data) {
  return std::filesystem::absolute(data).lexically_normal();
}
/// The last part of a path: "drawings" of "../drawings/".
[[nodiscard]] inline std::string title_of(Path const& data) {
  Path const path = absolute_path(data);
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}
[[nodiscard]] inline nlohmann::ordered_json decoding_settings(DataOptions const& options, ds::Index count) {
  return {{"data", absolute_path(options.data).string()},
          {"files", count},
          {"labels", options.labels.string()},
          {"fit", options.fit},
          {"ground", options.ground},
          {"skip_unreadable", options.skip_unreadable},
          {"keep_duplicates", options.keep_duplicates}};
}

/// A published set with a training and a test part, at its own size unless another one is asked for.
template <class Set>
[[nodiscard]] DataPlan plan_published(DataOptions const& options, std::string const& title, Set const& set) {
  ds::Index const size = options.size == 0 ? set.train.height() : options.size,
                  channels = options.channels == 0 ? set.train.channels() : options.channels;
  auto const fit = fit_of(options, size, channels);
  PartSizes const parts = parts_of(set.train.size(), set.test.size());
  return {.title = title,
          .size = size,
          .channels = channels,
          .parts = parts,
          .flip = 0.5F,
          .found = {ds::text(
              {title, ": ", set.train.size(), " pictures, and ", set.test.size(), " for the test"})},
          .settings = {{"data", title}, {"fit", options.fit}},
          .load = [fit, parts, set](Path const&, ds::ThreadPool&) {
            return RunData{cut_into_parts(fitted(set.train, fit), fitted(set.test, fit), parts),
                           set.class_names};
          }};
}

/// Fashion-MNIST, with names that its struct has for all sets.
struct NamedFashionMnist {
  ds::data::Dataset train, test;
  std::vector<std::string> class_names;
};
[[nodiscard]] inline bool is_fashion_mnist(Path const& data) {
  std::error_code ignored;
  for (std::string const& name : ds::io::names_in(data, ignored))
    if (name.starts_with("train-images")) return true;
  return data == ds::data::FashionMnist::debian_folder;  // whose error says what to install
}
[[nodiscard]] inline DataPlan plan_fashion_mnist(DataOptions const& options) {
  auto const [train, test] = ds::data::load_fashion_mnist(options.data);
  auto const& names = ds::data::FashionMnist::class_names;
  return plan_published(options, "Fashion-MNIST",
                        NamedFashionMnist{train, test, {names.begin(), names.end()}});
}

[[nodiscard]] inline DataPlan plan_cifar10(DataOptions const& options) {
  return plan_published(options, "CIFAR-10", ds::data::load_cifar10(options.data));
}
[[nodiscard]] inline DataPlan plan_cifar100(DataOptions const& options) {
  return plan_published(options, "CIFAR-100", ds::data::load_cifar100(options.data));
}
/// Its labelled pictures, small unless a size is asked for.
[[nodiscard]] inline DataPlan plan_stl10(DataOptions const& options) {
  DataOptions sized = options;
  if (sized.size == 0) sized.size = 32;
  return plan_published(sized, "STL-10", ds::data::load_stl10(options.data));
}

/// The parts of list_eval_partition, of the pictures that could be read.
[[nodiscard]] inline Pictures published_parts(ds::data::Celeba const& celeba,
                                              ds::data::CachedPictures const& cached,
                                              std::span<ds::Index const> kept) {
  std::unordered_map<std::string_view, ds::data::CelebaPart> part_of;
  for (std::size_t i = 0; i < celeba.parts.size(); ++i)
    part_of.emplace(celeba.files.paths[i], celeba.parts[i]);
  std::array<std::vector<ds::Index>, 3> positions;
  for (ds::Index const i : kept)
    positions[static_cast<std::size_t>(part_of.at(cached.names[static_cast<std::size_t>(i)]))].push_back(i);
  return {cached.pictures.subset(positions[0]), cached.pictures.subset(positions[1]),
          cached.pictures.subset(positions[2])};
}

/// With the published crop, and in the published parts where the folder has them. --labels names an
/// attribute, such as Smiling.
[[nodiscard]] inline DataPlan plan_celeba(DataOptions const& options) {
  using ds::data::CelebaPart;
  auto celeba = ds::data::load_celeba(options.data);
  ds::Index const size = options.size == 0 ? 64 : options.size;
  if (!options.labels.empty()) {
    auto const& names = celeba.attribute_names;
    auto const found = std::find(names.begin(), names.end(), options.labels.string());
    if (found == names.end())
      ds::fail<ds::ConfigError>("--labels", "an attribute of CelebA, such as Smiling",
                                options.labels.string());
    auto const column = static_cast<std::size_t>(found - names.begin());
    for (std::size_t i = column; i < celeba.attributes.size(); i += names.size())
      celeba.files.labels.push_back(celeba.attributes[i]);
    celeba.files.classes = {"not " + *found, *found};
  }
  auto fit = ds::data::celeba_fit(static_cast<int>(size));
  if (options.channels != 0) fit.channels = static_cast<int>(options.channels);
  auto const in_part = [&](CelebaPart part) {
    return std::count(celeba.parts.begin(), celeba.parts.end(), part);
  };
  bool const divided = !celeba.parts.empty();
  PartSizes const parts = divided ? PartSizes{in_part(CelebaPart::train), in_part(CelebaPart::validation),
                                              in_part(CelebaPart::test)}
                                  : parts_of(celeba.size());
  auto settings = decoding_settings(options, celeba.size());
  settings["partition"] = divided ? "published" : "none";
  ds::data::PictureFolder const source{celeba.files, fit};
  return {.title = "CelebA",
          .size = size,
          .channels = fit.channels,
          .parts = parts,
          .flip = 0.5F,
          .found = {ds::text({celeba.size(), " pictures of CelebA"}),
                    divided ? ds::text({parts.train, " of them for training, ", parts.validation,
                                        " for validation and ", parts.test,
                                        " for the test, as list_eval_partition says"})
                            : "no list_eval_partition: they are divided at random"},
          .settings = std::move(settings),
          .load = [source, celeba = std::move(celeba), options, divided](Path const& cache,
                                                                         ds::ThreadPool& threads) {
            auto const divide = [&](ds::data::CachedPictures const& cached, std::span<ds::Index const> kept) {
              return divided ? published_parts(celeba, cached, kept) : divide_at_random(cached, kept);
            };
            return load_cached(source, options, absolute_path(celeba.files.folder), cache, threads, divide);
          }};
}

#ifdef DIFFSIAM_WITH_LMDB
[[nodiscard]] inline DataPlan plan_lmdb(DataOptions const& options) {
  ds::Index const size = options.size == 0 ? 64 : options.size,
                  channels = options.channels == 0 ? 3 : options.channels;
  auto const fit = fit_of(options, size, channels);
  auto const source = std::make_shared<ds::data::LmdbPictures const>(
      options.data, fit, ds::io::DecodeOptions{.ground = fit.ground});
  return {.title = title_of(options.data),
          .size = size,
          .channels = channels,
          .parts = parts_of(source->size()),
          .flip = 0.5F,
          .found = {ds::text({source->size(), " pictures in an LMDB database, without labels"})},
          .settings = decoding_settings(options, source->size()),
          .load = [source, options](Path const& cache, ds::ThreadPool& threads) {
            return load_cached(*source, options, {}, cache, threads);
          }};
}
#endif

/// A file of numpy or safetensors with `images` and, where there are some, `labels`. The labels of a .npy
/// file stand in another one, which --labels names.
[[nodiscard]] inline bool is_array_file(Path const& data) {
  auto const ending = data.extension();
  return ending == ".npy" || ending == ".npz" || ending == ".safetensors";
}
[[nodiscard]] inline ds::data::Dataset load_array_file(Path const& data, Path const& labels) {
  if (data.extension() == ".npy")
    return labels.empty() ? ds::data::load_npy(data) : ds::data::load_npy(data, labels);
  if (!labels.empty())
    ds::fail<ds::ConfigError>("--labels", "no other file, since labels stand in the same one",
                              labels.string());
  if (data.extension() == ".safetensors") return ds::data::load_safetensors(data);
#ifdef DIFFSIAM_WITH_NPZ
  return ds::data::load_npz(data);
#else
  ds::fail<ds::ConfigError>("--data", "a program that reads .npz files", "one without them",
                            "Debian: libzip-dev, and build again");
#endif
}
[[nodiscard]] inline DataPlan plan_array_file(DataOptions const& options) {
  auto const all = load_array_file(options.data, options.labels);
  ds::Index const size =
                      options.size == 0 ? std::clamp<ds::Index>(all.height() / 4 * 4, 8, 32) : options.size,
                  channels = options.channels == 0 ? all.channels() : options.channels;
  auto const set = fitted(all, fit_of(options, size, channels));
  return {.title = title_of(options.data),
          .size = size,
          .channels = channels,
          .parts = parts_of(all.size()),
          .flip = 0.5F,
          .found = {ds::text({all.size(), " pictures of ", all.height(), " x ", all.width(), " x ",
                              all.channels(), all.labelled() ? ", with labels" : ", without labels"})},
          .settings = {{"data", absolute_path(options.data).string()},
                       {"labels", options.labels.string()},
                       {"fit", options.fit}},
          .load = [set](Path const&, ds::ThreadPool&) { return RunData{cut_into_parts(set)}; }};
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
  auto const fit = fit_of(options, size, channels);
  return {.title = title_of(options.data),
          .size = size,
          .channels = channels,
          .parts = parts_of(count),
          .flip = 0.5F,
          .found = std::move(found),
          .settings = decoding_settings(options, count),
          .load = [source = data::PictureFolder{std::move(files), fit, {.ground = fit.ground}}, options](
                      Path const& cache, ds::ThreadPool& threads) {
            return load_cached(source, options, absolute_path(options.data), cache, threads);
          }};
}

inline constexpr std::array data_kinds{
    DataKind{"Fashion-MNIST", is_fashion_mnist, plan_fashion_mnist},
    DataKind{"CIFAR-10", [](Path const& data) { return has_file(data, "data_batch_1.bin"); }, plan_cifar10},
    DataKind{"CIFAR-100",
             [](Path const& data) { return has_file(data, "train.bin") && has_file(data, "test.bin"); },
             plan_cifar100},
    DataKind{"STL-10", [](Path const& data) { return has_file(data, "train_X.bin"); }, plan_stl10},
    DataKind{"CelebA",
             [](Path const& data) {
               return has_file(data, "list_attr_celeba.txt") || has_file(data, "list_attr_celeba.csv");
             },
             plan_celeba, true},
#ifdef DIFFSIAM_WITH_LMDB
    DataKind{"LMDB",
             [](Path const& data) { return has_file(data, "data.mdb") || data.extension() == ".mdb"; },
             plan_lmdb},
#endif
    DataKind{"a file of arrays", is_array_file, plan_array_file, true},
    DataKind{"a folder of pictures", [](Path const&) { return true; }, plan_folder, true},
};

inline void require_side(ds::Index size) {
  ds::Index const multiple = RunConfig::side_multiple(size);
  if (size % multiple != 0)
    ds::fail<ds::ConfigError>("--size", {"a multiple of ", multiple, ", since the denoiser halves the sides"},
                              size);
}

}  // namespace detail

/// Recognises what stands at options.data; reads lists and arrays, and decodes no picture yet. Throws
/// ConfigError for a size, channels or labels that the kind of data, or the networks, do not have, FileError
/// for what cannot be read.
[[nodiscard]] inline DataPlan plan_data(DataOptions const& options) {
  detail::require_side(options.size);
  auto const kind = std::find_if(detail::data_kinds.begin(), detail::data_kinds.end(),
                                 [&](DataKind const& each) { return each.recognises(options.data); });
  if (!options.labels.empty() && !kind->takes_labels)
    ds::fail<ds::ConfigError>("--labels", "a folder of pictures, CelebA or a .npy file to give labels to",
                              kind->name);
  DataPlan plan = kind->plan(options);
  detail::require_side(plan.size);  // which may be that of the pictures
  if (plan.channels != 1 && plan.channels != 3)
    ds::fail<ds::ConfigError>("--data", "pictures of 1 or 3 channels", plan.channels);
  require_enough(plan.parts);
  return plan;
}

}  // namespace experiments
