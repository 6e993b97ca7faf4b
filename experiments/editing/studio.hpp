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
  std::vector<double> judge_accuracy;  ///< on test pictures, of each factor
  EditSettings settings;
  std::filesystem::path folder;
  /// Cuts z in subsets. Codes without subsets are cut in the same columns.
  ds::TimestepPartition partition;

  [[nodiscard]] FactorTable const& factors() const { return data->factors; }
  [[nodiscard]] ds::TimeGrid grid() const {
    return ds::TimeGrid::linspace(partition.timesteps(), settings.sampling_steps);
  }
  [[nodiscard]] ds::Shape picture_shape(ds::Index count) const {
    return {count, data->side(), data->side(), data->channels()};
  }
  /// The x_T of sample after sample, the same for every method; a stream for each use.
  [[nodiscard]] ds::Tensor<B> noise(ds::Index count, std::uint32_t stream) const {
    return ds::diffusion::normal<B>(*context, picture_shape(count),
                                    {.seed = settings.seed, .stream = stream});
  }
  /// DDIM from random x_T adds noise on the way, which lets a denoiser correct its mistakes; a stream for
  /// each use.
  [[nodiscard]] ds::diffusion::DdimOptions with_noise(std::uint32_t stream) const {
    return {.eta = 1, .rng = {.seed = settings.seed, .stream = stream}};
  }
  /// For each factor the share of pictures that the judge sees at another level than before.
  [[nodiscard]] std::vector<double> changed(std::vector<int> const& before,
                                            ds::Tensor<B> const& edited) const {
    std::vector<int> const after = judge.predict(edited);
    return ds::eval::edit_effect({.before = before,
                                  .after = after,
                                  .count = edited.shape().samples(),
                                  .factors = judge.heads()},
                                 0)
        .changed;
  }
  /// What an edit did in the judge's eyes, who saw `before` in the unedited pictures: of the factors that it
  /// reads well, so that its own mistakes count for little. The wish must be of one of them.
  [[nodiscard]] ds::eval::EditEffect effect(std::vector<int> const& before, ds::Tensor<B> const& edited,
                                            Wish const& wish) const {
    auto const readable = readable_factors();
    auto const target = std::find(readable.begin(), readable.end(), wish.factor) - readable.begin();
    auto const of_readable = [&](std::vector<int> const& levels) {
      std::vector<int> chosen;
      for (std::size_t row = 0; row < levels.size(); row += factors().factors())
        for (std::size_t const f : readable) chosen.push_back(levels[row + f]);
      return chosen;
    };
    auto const from = of_readable(before), to = of_readable(judge.predict(edited));
    std::vector<int> const wanted(static_cast<std::size_t>(edited.shape().samples()), wish.level);
    return ds::eval::edit_effect({.before = from,
                                  .after = to,
                                  .count = edited.shape().samples(),
                                  .factors = static_cast<ds::Index>(readable.size())},
                                 target, wanted);
  }
  /// Those that the judge reads in enough of the test pictures.
  [[nodiscard]] std::vector<std::size_t> readable_factors() const {
    std::vector<std::size_t> readable;
    for (std::size_t f = 0; f < judge_accuracy.size(); ++f)
      if (judge_accuracy[f] >= settings.least_accuracy) readable.push_back(f);
    return readable;
  }
  /// The data set's wishes for factors that the judge reads.
  [[nodiscard]] std::vector<Wish> wishes() const {
    auto const readable = readable_factors();
    std::vector<Wish> judged;
    for (Wish const& wish : data->set->wishes)
      if (std::find(readable.begin(), readable.end(), wish.factor) != readable.end()) judged.push_back(wish);
    return judged;
  }
};

/// A trained diffusion model.
struct TrainedMethod {
  std::string name;
  ds::DiffSiam<B> model;

  /// x_T and z -> pictures, without noise on the way: x_T that was inferred gives its picture back.
  [[nodiscard]] ds::Tensor<B> decode(Studio const& studio, ds::Tensor<B> const& x_T,
                                     ds::Tensor<B> const& z) const {
    return model.sample(x_T, z, studio.grid());
  }
  /// Random x_T and z -> pictures, with noise on the way.
  [[nodiscard]] ds::Tensor<B> decode_at_random(Studio const& studio, ds::Tensor<B> const& z) const {
    return model.sample(studio.noise(z.shape().samples(), 60), z, studio.grid(), studio.with_noise(65));
  }
};

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
