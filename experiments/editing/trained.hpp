// What was trained before: the frozen denoiser and the learners of compare_methods.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <experiments/editing/studio.hpp>

namespace experiments {

/// Where the weights stand.
struct ModelFiles {
  std::filesystem::path weights = "experiments/weights";  ///< of the denoisers
  std::filesystem::path runs = "runs/experiments";        ///< of the learners
  std::uint64_t seed = 0;                                 ///< of their training
  bool untrained = false;                                 ///< reads nothing: models as they are initialised
};

[[nodiscard]] inline std::filesystem::path denoiser_file(ModelFiles const& files, std::string const& data) {
  return files.weights / (data + "_denoiser.safetensors");
}
[[nodiscard]] inline std::filesystem::path method_file(ModelFiles const& files, std::string const& data,
                                                       std::string const& method) {
  return files.runs / (data + "." + method + "." + std::to_string(files.seed)) / (method + ".safetensors");
}

/// Throws FileError, with the command that trains them, unless all weights are there.
inline void require_trained(ModelFiles const& files, std::string const& data,
                            std::vector<std::string> const& names) {
  auto const require = [&](std::filesystem::path const& path, std::string const& method) {
    if (!ds::io::file_exists(path))
      ds::fail<ds::FileError>(
          "weights", {"'", path.string(), "'"}, "no such file",
          {"compare_methods --data ", data, " --method ", method, " trains them, or try --untrained"});
  };
  require(denoiser_file(files, data), "denoiser");
  for (std::string const& name : names) require(method_file(files, data, name), name);
}

[[nodiscard]] inline ds::UNet<B> load_denoiser(B::Context& context, ExperimentData const& data,
                                               ModelFiles const& files) {
  ds::UNet<B> const denoiser{context, denoiser_config(data)};
  if (!files.untrained) ds::io::load_weights(denoiser_file(files, std::string(data.set->name)), denoiser);
  return denoiser;
}

/// The encoder and shift decoder of `name`, with the denoiser that they were trained on.
[[nodiscard]] inline TrainedMethod load_method(B::Context& context, ExperimentData const& data,
                                               ModelFiles const& files, std::string const& name) {
  Recipe const recipe = recipe_of(named(methods, "--method", name), recipe_for(*data.set));
  Run const run{&context, &data, name, recipe, {}, files.seed};
  Learner const learner{run, encoder_of(run, uniform_partition(recipe)), load_denoiser(context, data, files)};
  if (!files.untrained) ds::io::load_weights(method_file(files, std::string(data.set->name), name), learner);
  return {name, *learner.model};
}

}  // namespace experiments
