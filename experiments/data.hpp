// The data sets of the table: pictures, and for each its factors; the class is the only one of Fashion-MNIST.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/data/augment_config.hpp>
#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/data/shapes.hpp>

#include <experiments/support/fashion_run.hpp>
#include <experiments/support/settings.hpp>

namespace example {

using B = ds::backend::Cpu<float>;  // what every experiment runs on

/// Values (count, factors), row-major, each in [0, its levels).
struct FactorTable {
  std::vector<std::string> names;
  std::vector<int> levels;
  std::vector<int> train, validation, test;

  [[nodiscard]] std::size_t factors() const { return names.size(); }
  /// One factor of all samples.
  [[nodiscard]] std::vector<int> column(std::vector<int> const& part, std::size_t factor) const {
    std::vector<int> values;
    for (std::size_t i = factor; i < part.size(); i += factors()) values.push_back(part[i]);
    return values;
  }
};

struct ExperimentData {
  std::string name;
  Pictures pictures;
  FactorTable factors;
  ds::data::AugmentConfig views;  ///< of the siamese half
  float flip = 0;                 ///< probability, in training the denoiser

  [[nodiscard]] ds::Index side() const { return pictures.train.height(); }
  [[nodiscard]] ds::Index channels() const { return pictures.train.channels(); }
};

inline constexpr PartSizes shapes_parts{20000, 2000, 5000};

/// Of "fashion" or "shapes", before anything is read.
[[nodiscard]] inline PartSizes part_sizes(std::string_view data) {
  return data == "shapes" ? shapes_parts : fashion_parts;
}

namespace detail {

[[nodiscard]] inline ExperimentData fashion_data(std::filesystem::path const& folder) {
  auto const fashion = ds::data::load_fashion_mnist(folder);
  // The split follows no seed: all runs are measured on the same pictures.
  auto const [train, validation] = fashion.train.split(fashion_parts.train, 0);
  return {.name = "fashion",
          .pictures = {train, validation, fashion.test},
          .factors = {{"class"}, {10}, train.labels(), validation.labels(), fashion.test.labels()},
          .views = fashion_views(),
          .flip = 0.5F};
}

/// Views that keep every factor, or nearly: NT-Xent must not be asked to forget what is measured.
[[nodiscard]] inline ds::data::AugmentConfig gentle_views() {
  ds::data::AugmentConfig config;
  config.jitter = {.probability = 0.8F, .brightness = 0.1F, .contrast = 0.1F};
  config.blur = {.probability = 0.5F, .least_sigma = 0.1F, .most_sigma = 0.5F};
  config.erase = {.probability = 0.5F, .least_area = 0.01F, .most_area = 0.05F};
  return config;
}

[[nodiscard]] inline ExperimentData shapes_data() {
  ds::data::ShapePictures const shapes{{.side = 32, .channels = 3}};
  auto const train = shapes.sample(shapes_parts.train, {.seed = 0, .stream = 1}),
             validation = shapes.sample(shapes_parts.validation, {.seed = 0, .stream = 2}),
             test = shapes.sample(shapes_parts.test, {.seed = 0, .stream = 3});
  return {.name = "shapes",
          .pictures = {train.pictures, validation.pictures, test.pictures},
          .factors = {{ds::data::shape_factor_names.begin(), ds::data::shape_factor_names.end()},
                      {ds::data::shape_levels.begin(), ds::data::shape_levels.end()},
                      train.values,
                      validation.values,
                      test.values},
          .views = gentle_views()};
}

}  // namespace detail

/// "fashion" or "shapes". Throws ConfigError for another name, FileError where files are missing.
[[nodiscard]] inline ExperimentData load_experiment_data(std::string_view name,
                                                         std::filesystem::path const& folder) {
  if (name == "fashion") return detail::fashion_data(folder);
  if (name == "shapes") return detail::shapes_data();
  ds::fail<ds::ConfigError>("--data", "fashion or shapes", name);
}

/// The first `count` pictures of each part, for a quick try.
[[nodiscard]] inline ExperimentData first_pictures(ExperimentData data, ds::Index count) {
  auto const cut = [&](ds::data::Dataset& pictures, std::vector<int>& values) {
    ds::Index const kept = std::min(count, pictures.size());
    pictures = pictures.slice(0, kept);
    values.resize(static_cast<std::size_t>(kept) * data.factors.factors());
  };
  cut(data.pictures.train, data.factors.train);
  cut(data.pictures.validation, data.factors.validation);
  cut(data.pictures.test, data.factors.test);
  return data;
}

}  // namespace example
