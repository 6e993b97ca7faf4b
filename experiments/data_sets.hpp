// The data sets of the table: pictures, and for each its factors; the class is the only one of Fashion-MNIST.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/data/shapes.hpp>

#include <experiments/attributes.hpp>
#include <experiments/glyphs/factors.hpp>
#include <experiments/named.hpp>
#include <experiments/recipe.hpp>
#include <experiments/support/run_config.hpp>
#include <experiments/support/settings.hpp>
#ifdef DIFFSIAM_WITH_FREETYPE
#include <experiments/glyphs/font_files.hpp>
#include <experiments/glyphs/pictures.hpp>
#endif

namespace experiments {

/// Values (count, factors), row-major, each in [0, its levels).
struct FactorTable {
  std::vector<std::string> names;
  std::vector<int> levels;
  std::vector<int> train, validation, test;
  std::vector<std::string> level_names{};     ///< of the one factor, where levels have names
  std::vector<Attribute> named_attributes{};  ///< none: the levels are the attributes

  [[nodiscard]] std::size_t factors() const { return names.size(); }
  /// The binary attributes that are asked of pictures.
  [[nodiscard]] std::vector<Attribute> attributes() const {
    return named_attributes.empty() ? attribute_of_each_level(names, levels) : named_attributes;
  }
  /// All factors of some training pictures, row by row.
  [[nodiscard]] std::vector<int> of_training(std::span<ds::Index const> chosen) const {
    std::vector<int> rows;
    auto const width = static_cast<ds::Index>(factors());
    for (ds::Index const i : chosen)
      rows.insert(rows.end(), train.begin() + i * width, train.begin() + (i + 1) * width);
    return rows;
  }
  /// One factor of all samples.
  [[nodiscard]] std::vector<int> column(std::vector<int> const& part, std::size_t factor) const {
    std::vector<int> values;
    for (std::size_t i = factor; i < part.size(); i += factors()) values.push_back(part[i]);
    return values;
  }
};

/// A level of a factor that edited pictures shall have.
struct Wish {
  std::size_t factor = 0;
  int level = 0;
};

struct DataSet;

struct ExperimentData {
  DataSet const* set;
  Pictures pictures;
  FactorTable factors;

  [[nodiscard]] ds::Index side() const { return pictures.train.height(); }
  [[nodiscard]] ds::Index channels() const { return pictures.train.channels(); }
};

/// Where the files of data sets stand.
struct DataFolders {
  std::filesystem::path fashion_mnist{ds::data::FashionMnist::debian_folder};
  std::filesystem::path fonts{};  ///< with the folders train, validation and test; "": Debian's packages
};

struct DataSet {
  std::string_view name;
  PartSizes parts;
  float flip;                    ///< probability, in training the denoiser
  bool draws_pairs;              ///< pictures that differ in one factor alone can be had
  void (*change)(Recipe&);       ///< to the settings chosen on its validation pictures
  std::span<Wish const> wishes;  ///< coarse and fine ones
  ExperimentData (*load)(DataSet const&, DataFolders const&);
};

namespace detail {

[[nodiscard]] inline ExperimentData load_fashion(DataSet const& set, DataFolders const& folders) {
  auto const fashion = ds::data::load_fashion_mnist(folders.fashion_mnist);
  // The split follows no seed: all runs are measured on the same pictures.
  auto const [train, validation] = fashion.train.split(set.parts.train, 0);
  auto const& classes = ds::data::FashionMnist::class_names;
  return {&set,
          {train, validation, fashion.test},
          {{"class"},
           {10},
           train.labels(),
           validation.labels(),
           fashion.test.labels(),
           {classes.begin(), classes.end()}}};
}

[[nodiscard]] inline ExperimentData load_shapes(DataSet const& set, DataFolders const&) {
  ds::data::ShapePictures const shapes{{.side = 32, .channels = 3}};
  auto const train = shapes.sample(set.parts.train, {.seed = 0, .stream = 1}),
             validation = shapes.sample(set.parts.validation, {.seed = 0, .stream = 2}),
             test = shapes.sample(set.parts.test, {.seed = 0, .stream = 3});
  return {&set,
          {train.pictures, validation.pictures, test.pictures},
          {{ds::data::shape_factor_names.begin(), ds::data::shape_factor_names.end()},
           {ds::data::shape_levels.begin(), ds::data::shape_levels.end()},
           train.values,
           validation.values,
           test.values}};
}

#ifdef DIFFSIAM_WITH_FREETYPE
[[nodiscard]] inline ExperimentData load_glyphs(DataSet const& set, DataFolders const& folders) {
  FontFiles const fonts = folders.fonts.empty() ? debian_font_files() : font_files_in(folders.fonts);
  auto const part = [](std::vector<std::filesystem::path> const& files, ds::Index count,
                       std::uint32_t stream) {
    return GlyphPictures{files}.sample(count, {.seed = 0, .stream = stream});
  };
  auto const train = part(fonts.train, set.parts.train, 1),
             validation = part(fonts.validation, set.parts.validation, 2),
             test = part(fonts.test, set.parts.test, 3);
  return {&set,
          {train.pictures, validation.pictures, test.pictures},
          {.names = {glyph_factor_names.begin(), glyph_factor_names.end()},
           .levels = {glyph_levels.begin(), glyph_levels.end()},
           .train = train.values,
           .validation = validation.values,
           .test = test.values,
           .named_attributes = glyph_attributes()}};
}
#else
[[nodiscard]] inline ExperimentData load_glyphs(DataSet const&, DataFolders const&) {
  ds::fail<ds::ConfigError>("--data glyphs", "a program that was built with FreeType", "one without",
                            "apt-get install libfreetype-dev, and configure and build again");
}
#endif

/// Views keep every factor, or nearly: NT-Xent must not be asked to forget what is measured.
inline void settings_of_drawn(Recipe& recipe) {
  recipe.siamese_weight = 0.01;
  recipe.p2_k = 0;
  recipe.batch = 32;
  recipe.siamese_batch = 128;
  recipe.rate = 2e-3;
  recipe.steps = 800;
  recipe.views.jitter = {.probability = 0.8F, .brightness = 0.1F, .contrast = 0.1F};
  recipe.views.blur = {.probability = 0.5F, .least_sigma = 0.1F, .most_sigma = 0.5F};
  recipe.views.erase = {.probability = 0.5F, .least_area = 0.01F, .most_area = 0.05F};
}

inline constexpr std::array<Wish, 4> fashion_wishes{{{0, 1}, {0, 3}, {0, 8}, {0, 9}}};
inline constexpr std::array<Wish, 5> shape_wishes{
    {{ds::data::factor_index(ds::data::ShapeFactor::background), 0},
     {ds::data::factor_index(ds::data::ShapeFactor::shape), 3},
     {ds::data::factor_index(ds::data::ShapeFactor::size), 4},
     {ds::data::factor_index(ds::data::ShapeFactor::hue), 4},
     {ds::data::factor_index(ds::data::ShapeFactor::edge), 3}}};
inline constexpr std::array<Wish, 5> glyph_wishes{{{index_of(GlyphFactor::ground), 0},
                                                   {index_of(GlyphFactor::ink), 4},
                                                   {index_of(GlyphFactor::size), 3},
                                                   {index_of(GlyphFactor::bold), 1},
                                                   {index_of(GlyphFactor::slanted), 1}}};

}  // namespace detail

inline std::array const data_sets{
    DataSet{.name = "fashion",
            .parts = fashion_parts,
            .flip = 0.5F,
            .draws_pairs = false,
            .change = [](Recipe& recipe) { recipe.views = grey_views(); },
            .wishes = detail::fashion_wishes,
            .load = detail::load_fashion},
    DataSet{.name = "shapes",
            .parts = {20000, 2000, 5000},
            .flip = 0,
            .draws_pairs = true,
            .change = detail::settings_of_drawn,
            .wishes = detail::shape_wishes,
            .load = detail::load_shapes},
    DataSet{.name = "glyphs",
            .parts = {20000, 2000, 5000},
            .flip = 0,
            .draws_pairs = false,
            .change = detail::settings_of_drawn,
            .wishes = detail::glyph_wishes,
            .load = detail::load_glyphs},
};

[[nodiscard]] inline DataSet const& data_set(std::string_view name) {
  return named(data_sets, "--data", name);
}

/// Its settings, before a method or the command line changes them.
[[nodiscard]] inline Recipe recipe_for(DataSet const& set) {
  Recipe recipe;
  set.change(recipe);
  return recipe;
}

/// The first `count` pictures of each part, for a quick try; 0: all.
[[nodiscard]] inline ExperimentData first_pictures(ExperimentData data, ds::Index count) {
  auto const cut = [&](ds::data::Dataset& pictures, std::vector<int>& values) {
    ds::Index const kept = count == 0 ? pictures.size() : std::min(count, pictures.size());
    pictures = pictures.slice(0, kept);
    values.resize(static_cast<std::size_t>(kept) * data.factors.factors());
  };
  cut(data.pictures.train, data.factors.train);
  cut(data.pictures.validation, data.factors.validation);
  cut(data.pictures.test, data.factors.test);
  return data;
}

}  // namespace experiments
