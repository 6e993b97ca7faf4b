// How pictures come to a run: data sets with a training and a test part, and sources that are decoded into a
// cache file first.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/data/fitted.hpp>
#include <diffsiam/data/picture_cache.hpp>
#include <diffsiam/io/progress_line.hpp>

#include <experiments/support/interrupt.hpp>
#include <experiments/support/run_data.hpp>

namespace experiments {

/// A tenth for validation, a fifth for the test, at most 5,000 and 10,000; the rest is for training.
[[nodiscard]] constexpr PartSizes parts_of(ds::Index pictures) {
  ds::Index const validation = std::min<ds::Index>(5000, pictures / 10),
                  test = std::min<ds::Index>(10000, pictures / 5);
  return {pictures - validation - test, validation, test};
}

/// Those of a set that has a test part: a tenth of the rest for validation, at most 5,000.
[[nodiscard]] constexpr PartSizes parts_of(ds::Index known, ds::Index test) {
  ds::Index const validation = std::min<ds::Index>(5000, known / 10);
  return {known - validation, validation, test};
}

/// The parts of a set that has none. The split follows no seed: all runs are measured on the same pictures.
[[nodiscard]] inline Pictures cut_into_parts(ds::data::Dataset const& all) {
  PartSizes const parts = parts_of(all.size());
  auto const [known, test] = all.split(parts.train + parts.validation, 0);
  auto const [train, validation] = known.split(parts.train, 0);
  return {train, validation, test};
}
/// The same of a set that has a test part.
[[nodiscard]] inline Pictures cut_into_parts(ds::data::Dataset const& known, ds::data::Dataset const& test,
                                             PartSizes const& parts) {
  auto const [train, validation] = known.split(parts.train, 0);
  return {train, validation, test};
}

inline constexpr std::array fits{std::pair{"crop", ds::data::Fit::crop}, std::pair{"pad", ds::data::Fit::pad},
                                 std::pair{"stretch", ds::data::Fit::stretch}};

/// How pictures are brought to the size of the run.
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
/// A set in memory at the size of the run.
[[nodiscard]] inline ds::data::Dataset fitted(ds::data::Dataset const& set, ds::data::FitConfig const& fit) {
  return set.extent() == fit.extent() ? set : ds::data::Dataset{ds::data::FittedPictures{set, fit}};
}

namespace detail {

/// What was found out while pictures were decoded.
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

/// A source by way of its cache file, with a progress bar; Ctrl-C ends it.
template <ds::data::CacheableSource S>
[[nodiscard]] ds::data::CachedPictures read_into_cache(S const& source, bool skip_unreadable,
                                                       std::filesystem::path const& cache,
                                                       ds::ThreadPool& threads) {
  ds::io::ProgressLine line{std::cout,
                            {.total = source.size(), .label = "reading pictures", .unit = "pictures"}};
  StopOnSignals const signals;
  return ds::data::cache_pictures(source,
                                  {.path = cache,
                                   .skip_unreadable = skip_unreadable,
                                   .skip_hint = "--skip-unreadable",
                                   .progress =
                                       [&](ds::Index done, ds::Index) {
                                         if (stop_requested)
                                           throw ds::Interrupted("stopped while pictures were read");
                                         line(done);
                                       }},
                                  threads);
}

}  // namespace detail

/// The parts of pictures of which `kept` are used.
[[nodiscard]] inline Pictures divide_at_random(ds::data::CachedPictures const& cached,
                                               std::span<ds::Index const> kept) {
  return cut_into_parts(cached.pictures.subset(kept));
}

/// A source by way of its cache file, in the parts that `divide` makes of it. `folder` is put before the
/// names of pictures.
template <ds::data::CacheableSource S, class Divide = decltype(divide_at_random)>
[[nodiscard]] RunData load_cached(S const& source, DataOptions const& options,
                                  std::filesystem::path const& folder, std::filesystem::path const& cache,
                                  ds::ThreadPool& threads, Divide const& divide = divide_at_random) {
  auto const cached = detail::read_into_cache(source, options.skip_unreadable, cache, threads);
  std::vector<ds::Index> kept;
  for (ds::Index i = 0; i < cached.pictures.size(); ++i)
    if (options.keep_duplicates || !std::binary_search(cached.repeats.begin(), cached.repeats.end(), i))
      kept.push_back(i);
  RunData data{.pictures = divide(cached, kept),
               .class_names = cached.class_names,
               .found = detail::findings(cached, options.keep_duplicates)};
  for (std::string const& name : cached.names) data.names.push_back((folder / name).string());
  return data;
}

}  // namespace experiments
