// What every experiment with pictures works with: the data, the judge, the settings, and a method's models.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/eval/edit_effect.hpp>
#include <diffsiam/eval/metrics.hpp>
#include <diffsiam/model/interpolate.hpp>

#include <experiments/editing/judge.hpp>
#include <experiments/editing/settings.hpp>
#include <experiments/features.hpp>
#include <experiments/support/report.hpp>

namespace experiments {

/// What the methods are tried in, the same for all.
struct Studio {
  B::Context* context;
  ExperimentData const* data;
  Judge judge;
  EditSettings settings;
  std::filesystem::path folder;
  /// Cuts z in subsets. PDAE has one only; its edits exchange the same columns as DiffSiam's.
  ds::TimestepPartition partition;

  [[nodiscard]] FactorTable const& factors() const { return data->factors; }
  [[nodiscard]] ds::TimeGrid grid() const {
    return ds::TimeGrid::linspace(partition.timesteps(), settings.sampling_steps);
  }
  /// The x_T of sample after sample, the same for every method; a stream for each use.
  [[nodiscard]] ds::Tensor<B> noise(ds::Index count, std::uint32_t stream) const {
    return ds::diffusion::normal<B>(*context, {count, data->side(), data->side(), data->channels()},
                                    {.seed = settings.seed, .stream = stream});
  }
  /// What an edit did in the judge's eyes, who saw `before` in the unedited pictures.
  [[nodiscard]] ds::eval::EditEffect effect(std::vector<int> const& before, ds::Tensor<B> const& edited,
                                            std::size_t target = 0,
                                            std::vector<int> const& wanted = {}) const {
    std::vector<int> const after = judge.predict(edited);
    return ds::eval::edit_effect(
        {.before = before, .after = after, .count = edited.shape().samples(), .factors = judge.heads()},
        static_cast<ds::Index>(target), wanted);
  }
};

/// A trained method: "diffsiam" or "pdae".
struct TrainedMethod {
  std::string name;
  ds::DiffSiam<B> model;

  /// x_T and z -> pictures.
  [[nodiscard]] ds::Tensor<B> decode(Studio const& studio, ds::Tensor<B> const& x_T,
                                     ds::Tensor<B> const& z) const {
    return model.sample(x_T, z, studio.grid());
  }
};

/// Pictures, what a method makes of them, and what they show.
struct Subjects {
  ds::Tensor<B> images, z, x_T;
  ds::Tensor<B> rebuilt;    ///< from both: the unedited picture
  std::vector<int> levels;  ///< true ones of all factors, row by row
  std::vector<int> seen;    ///< those that the judge sees in `rebuilt`

  [[nodiscard]] ds::Index count() const { return images.shape().samples(); }
  [[nodiscard]] ds::model::Origin<B> origin() const { return {x_T, z}; }
};

[[nodiscard]] inline Subjects subjects_of(Studio const& studio, TrainedMethod const& method,
                                          ds::data::Dataset const& pictures, std::vector<int> const& levels,
                                          ds::Index count) {
  auto const part = pictures.slice(0, std::min(count, pictures.size()));
  auto const images = images_of(*studio.context, part);
  auto const z = method.model.encode(images);
  auto const x_T = method.model.infer_noise(images, z, studio.grid());
  auto const rebuilt = method.decode(studio, x_T, z);
  auto const values = part.size() * static_cast<ds::Index>(studio.factors().factors());
  return {images, z, x_T, rebuilt, {levels.begin(), levels.begin() + values}, studio.judge.predict(rebuilt)};
}

/// The chosen subjects, in that order.
[[nodiscard]] inline Subjects some_of(Subjects const& all, std::span<ds::Index const> chosen) {
  Subjects result{rows(all.images, chosen),
                  rows(all.z, chosen),
                  rows(all.x_T, chosen),
                  rows(all.rebuilt, chosen),
                  {},
                  {}};
  auto const width = static_cast<ds::Index>(all.levels.size()) / all.count();
  for (ds::Index const i : chosen) {
    auto const from = i * width, to = (i + 1) * width;
    result.levels.insert(result.levels.end(), all.levels.begin() + from, all.levels.begin() + to);
    result.seen.insert(result.seen.end(), all.seen.begin() + from, all.seen.begin() + to);
  }
  return result;
}
/// `count` subjects, each the one behind itself in `all`, the first behind the last: another picture for
/// each.
[[nodiscard]] inline Subjects partners_of(Subjects const& all, ds::Index count) {
  std::vector<ds::Index> chosen;
  for (ds::Index i = 0; i < count; ++i) chosen.push_back((i + 1) % all.count());
  return some_of(all, chosen);
}
[[nodiscard]] inline Subjects first_of(Subjects const& all, ds::Index count) {
  std::vector<ds::Index> chosen;
  for (ds::Index i = 0; i < std::min(count, all.count()); ++i) chosen.push_back(i);
  return some_of(all, chosen);
}

/// Pictures (n, h, w, c) on [0, 1], as measures of likeness take them.
[[nodiscard]] inline std::vector<float> brightness(ds::Tensor<B> const& pictures) {
  std::vector<float> values = pictures.values();
  for (float& value : values) value = std::clamp((value + 1) / 2, 0.0F, 1.0F);
  return values;
}

/// Keeps a picture as a file, twice as large, and shows it.
inline void show(ds::report::ReportSection& section, std::filesystem::path const& folder,
                 std::string const& file, ds::io::Picture const& picture, std::string const& caption) {
  ds::io::write_png(folder / (file + ".png"), ds::io::upscale(picture, 2));
  section.picture(picture, {.caption = caption, .scale = 2});
}

[[nodiscard]] inline std::string figure(double value, int decimals = 3) {
  return std::isfinite(value) ? ds::io::format_fixed(value, decimals) : "–";
}

}  // namespace experiments
