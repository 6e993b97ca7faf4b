// What was trained before: the frozen denoiser and the learners of compare_methods.
#pragma once

#include <filesystem>
#include <string>

#include "studio.hpp"

namespace example {

/// Where the weights stand.
struct ModelFiles {
  std::filesystem::path weights = "examples/weights";  ///< of the denoisers
  std::filesystem::path runs = "runs/experiments";     ///< of the learners
  std::uint64_t seed = 0;                              ///< of their training
  bool untrained = false;                              ///< reads nothing: models as they are initialised
};

/// Throws FileError for weights that are missing or of other models.
template <class M>
void load_trained(std::filesystem::path const& path, M const& module, std::string const& how) {
  if (!ds::io::file_exists(path))
    ds::fail<ds::FileError>("edit_pictures", "weights in " + path.string(), "no such file",
                            how + ", or try --untrained");
  ds::io::load_weights(path, module);
}

[[nodiscard]] inline ds::UNet<B> load_denoiser(B::Context& context, ExperimentData const& data,
                                               ModelFiles const& files) {
  ds::UNet<B> const denoiser{context, denoiser_config(data)};
  if (!files.untrained)
    load_trained(files.weights / (data.name + "_denoiser.safetensors"), denoiser,
                 "compare_methods --data " + data.name + " --method denoiser trains them");
  return denoiser;
}

/// The encoder and shift decoder of `name`, with the denoiser that they were trained on.
[[nodiscard]] inline Method load_method(B::Context& context, ExperimentData const& data,
                                        ModelFiles const& files, std::string const& name) {
  Run const run{&context, &data, recipe_of(name, Recipe::of_data(data.name)), {}, files.seed};
  auto const partition = ds::TimestepPartition::uniform(
      {.timesteps = 1000, .subsets = run.recipe.subsets, .dims = static_cast<int>(run.recipe.dims)});
  Learner const learner{run, encoder_of(run, partition), load_denoiser(context, data, files)};
  if (!files.untrained)
    load_trained(
        files.runs / (data.name + "." + name + "." + std::to_string(files.seed)) / (name + ".safetensors"),
        learner,
        "compare_methods --data " + data.name + " --method " + name +
            " --results runs/results.jsonl trains them");
  return {name, *learner.model};
}

}  // namespace example
