// The judge of edited pictures: the encoder of the methods, told the factors. What it reads off a picture is
// taken for what the picture shows, so every measure of an edit is as good as the judge is on test pictures.
// It is trained with noise, because decoders leave some, and noise must not pass for another level.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <experiments/baselines.hpp>

namespace experiments {

/// Says which level of each factor pictures show, and has features for the Frechet distance.
using Judge = FactorReader;

/// The greatest deviation of the noise that the judge is trained with, where pictures are on [-1, 1]: 24 dB.
inline constexpr double judge_noise = 0.13;

/// x with noise of a deviation that is drawn for each step, evenly from [0, judge_noise].
[[nodiscard]] inline ds::Taped<B> with_judge_noise(ds::Taped<B> const& x, ds::Rng const& rng) {
  auto const eps = ds::diffusion::normal<B>(x.value().context(), x.shape(), rng.with_stream(rng.stream + 1));
  double const share = static_cast<double>(rng.with_stream(rng.stream + 2).uniform(0));
  return ds::ops::linear_combination(1, x, judge_noise * share, x.tape().input(eps));
}

/// Read from the run's folder, or trained for the run's steps and kept there.
[[nodiscard]] inline Judge trained_judge(Run const& run) {
  Judge const judge = factor_reader(run);
  std::filesystem::path const weights = run.folder / (run.stage + ".safetensors");
  if (ds::io::file_exists(weights)) {
    say("judge: from " + weights.string());
    ds::io::load_weights(weights, judge);
    return judge;
  }
  auto const read = reading_loss(run, judge);
  train_on_images(
      run, judge, [](std::uint64_t) {},
      [&](ds::Taped<B> const& x, ds::data::Batch const& batch, ds::train::MicroBatch const& at) {
        return read(with_judge_noise(x, at.rng), batch, at);
      });
  return judge;
}

/// For each factor the share of test pictures in which the judge sees what is there.
[[nodiscard]] inline std::vector<double> judge_accuracy(B::Context& context, Judge const& judge,
                                                        ExperimentData const& data) {
  constexpr ds::Index batch = 500;
  ds::data::Dataset const& test = data.pictures.test;
  std::size_t const factors = data.factors.factors();
  std::vector<double> right(factors);
  std::size_t at = 0;
  for (ds::Index from = 0; from < test.size(); from += batch) {
    auto const images = images_of(context, test.slice(from, std::min(from + batch, test.size())));
    for (int const level : judge.predict(images)) {
      right[at % factors] += level == data.factors.test[at] ? 1 : 0;
      ++at;
    }
  }
  for (double& share : right) share /= static_cast<double>(test.size());
  return right;
}

}  // namespace experiments
