// The judge of edited pictures: the encoder of the methods, told the factors. What it reads off a picture is
// taken for what the picture shows, so every measure of an edit is as good as the judge is on test pictures.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <experiments/baselines.hpp>

namespace example {

/// Says which level of each factor pictures show, and has features for the Frechet distance.
using Judge = ds::model::Classifier<B>;

/// The factors of the pictures of a batch, row by row.
[[nodiscard]] inline std::vector<int> factors_of(ds::data::Batch const& batch, FactorTable const& factors) {
  std::vector<int> rows;
  auto const width = static_cast<ds::Index>(factors.factors());
  for (ds::Index const i : batch.indices)
    rows.insert(rows.end(), factors.train.begin() + i * width, factors.train.begin() + (i + 1) * width);
  return rows;
}

/// Read from the run's folder, or trained for the run's steps and kept there.
[[nodiscard]] inline Judge trained_judge(Run const& run) {
  FactorTable const& factors = run.data->factors;
  Judge const judge{
      *run.context, plain_encoder(run, run.recipe.dims), {.classes = factors.levels, .seed = run.seed + 2}};
  std::filesystem::path const weights = run.folder.root / (run.recipe.method + ".safetensors");
  if (ds::io::file_exists(weights)) {
    say("judge: from " + weights.string());
    ds::io::load_weights(weights, judge);
    return judge;
  }
  auto const loss = [&](ds::Tape<B>& tape, ds::data::Batch const& batch, ds::train::MicroBatch const&) {
    auto const images = images_of(*run.context, batch, batch.shape.samples());
    return judge.loss(tape.input(images), factors_of(batch, factors));
  };
  ds::Index const batch = std::min(baseline_batch, run.data->pictures.train.size());
  (void)train_module(run, judge, {.batch_size = batch, .seed = run.seed + 4}, [](std::uint64_t) {}, loss);
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
    auto const part = test.slice(from, std::min(from + batch, test.size()));
    auto const units = part.units();
    auto const images = ds::Tensor<B>::from(context, part.shape(), std::span<float const>{units});
    for (int const level : judge.predict(images)) {
      right[at % factors] += level == data.factors.test[at] ? 1 : 0;
      ++at;
    }
  }
  for (double& share : right) share /= static_cast<double>(test.size());
  return right;
}

}  // namespace example
