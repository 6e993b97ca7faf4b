// What was trained before: the frozen denoiser, the learners and the autoencoder of compare_methods.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <experiments/editing/editable_code.hpp>

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

/// Where the z of a method comes from, if pictures can be edited in it.
enum class EditableSource { diffusion, autoencoder, pca };

[[nodiscard]] inline std::optional<EditableSource> editable_source(Method const& method) {
  if (method.source == Source::autoencoder) return EditableSource::autoencoder;
  if (method.source == Source::pca) return EditableSource::pca;
  if (method.source == Source::encoder && recipe_of(method, {}).diffusion) return EditableSource::diffusion;
  return std::nullopt;
}
/// Throws ConfigError for a name that is no method, or one that cannot be edited beside the others.
[[nodiscard]] inline EditableSource editable_source(std::string_view name) {
  Method const& method = named(methods, "--methods", name);
  auto const source = editable_source(method);
  if (!source)
    ds::fail<ds::ConfigError>("--methods", "a method whose z can be decoded",
                              {"'", name, "', which has no decoder"});
  if (int const dims = recipe_of(method, {}).dims; dims != Recipe{}.dims)
    ds::fail<ds::ConfigError>("--methods", {"a z of ", Recipe{}.dims, " dims, like the others'"},
                              {"'", name, "', which has ", dims});
  return *source;
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
  for (std::string const& name : names)
    if (editable_source(name) != EditableSource::pca) require(method_file(files, data, name), name);
}

[[nodiscard]] inline ds::UNet<B> load_denoiser(B::Context& context, ExperimentData const& data,
                                               ModelFiles const& files) {
  ds::UNet<B> const denoiser{context, denoiser_config(data)};
  if (!files.untrained) ds::io::load_weights(denoiser_file(files, std::string(data.set->name)), denoiser);
  return denoiser;
}

namespace detail {

[[nodiscard]] inline Run run_of(B::Context& context, ExperimentData const& data, ModelFiles const& files,
                                std::string const& name) {
  Recipe const recipe = recipe_of(named(methods, "--methods", name), recipe_for(*data.set));
  return {&context, &data, name, recipe, {}, files.seed};
}

}  // namespace detail

/// The encoder and shift decoder of `name`, with the denoiser that they were trained on.
[[nodiscard]] inline TrainedMethod load_method(B::Context& context, ExperimentData const& data,
                                               ModelFiles const& files, std::string const& name) {
  Run const run = detail::run_of(context, data, files, name);
  Recipe const& recipe = run.recipe;
  Learner const learner{run, encoder_of(run, uniform_partition(recipe)), load_denoiser(context, data, files)};
  if (!files.untrained) ds::io::load_weights(method_file(files, std::string(data.set->name), name), learner);
  return {name, *learner.model};
}

[[nodiscard]] inline ds::model::Autoencoder<B> load_autoencoder(B::Context& context,
                                                                ExperimentData const& data,
                                                                ModelFiles const& files,
                                                                std::string const& name) {
  Run const run = detail::run_of(context, data, files, name);
  ds::model::Autoencoder<B> const model{plain_encoder(run, run.recipe.dims), mirrored_decoder(run)};
  if (!files.untrained) ds::io::load_weights(method_file(files, std::string(data.set->name), name), model);
  return model;
}

/// Whatever of a method is read from files.
struct LoadedMethod {
  std::string name;
  std::optional<TrainedMethod> diffusion{};
  std::optional<ds::model::Autoencoder<B>> autoencoder{};
};

[[nodiscard]] inline LoadedMethod load_editable(B::Context& context, ExperimentData const& data,
                                                ModelFiles const& files, std::string const& name) {
  LoadedMethod loaded{.name = name};
  EditableSource const source = editable_source(name);
  if (source == EditableSource::diffusion) loaded.diffusion = load_method(context, data, files, name);
  if (source == EditableSource::autoencoder)
    loaded.autoencoder = load_autoencoder(context, data, files, name);
  return loaded;
}

/// `known` are training pictures, from which PCA is found.
[[nodiscard]] inline EditableCode editable_code(Studio const& studio, LoadedMethod const& loaded,
                                                ds::data::Dataset const& known) {
  if (loaded.diffusion) return diffusion_code(studio, *loaded.diffusion);
  if (loaded.autoencoder) return autoencoder_code(studio, *loaded.autoencoder);
  return pca_code(studio, known, studio.partition.dims());
}

}  // namespace experiments
