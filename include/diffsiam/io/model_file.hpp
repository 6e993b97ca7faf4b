// Models in files: weights under their published names, and the configuration in the metadata, so that one
// line builds the model again.
//
//     ds::save("model.safetensors", model);
//     auto const model = ds::load<ds::DiffSiam<B>>(context, "model.safetensors");
//
// A DiffSiam's file holds its denoiser and its encoder: load<UNet<B>> and load<ModularEncoder<B>> read it,
// too. The configuration is JSON under `model_key`: {"kind": "encoder", "encoder": {...}}; see
// io/model_description.hpp.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <diffsiam/io/model_description.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/io/weight_sketch.hpp>

namespace diffsiam::io {

/// The number tells the form: a later version that reads number 1 reads all that today's files hold.
inline constexpr char const* model_key = "diffsiam model 1";

/// How save() writes a model.
struct SaveOptions {
  std::optional<Dtype> dtype{};  ///< of the weights; without it that of B's scalar
  /// What a denoiser was trained to predict; prediction_of() reads it.
  diffusion::PredictionTarget prediction = diffusion::PredictionTarget::eps;
};

/// Writes weights, settings and configuration, atomically. Throws NumericError for weights that are not
/// finite, FileError for those that the dtype cannot hold and where the file cannot be written, and
/// ConfigError for a prediction of anything but a denoiser.
template <nn::Module M>
void save(std::filesystem::path const& path, M const& model, SaveOptions const& options = {}) {
  ModelDescription<M> description(model);
  if constexpr (requires { description.prediction; })
    description.prediction = options.prediction;
  else if (options.prediction != diffusion::PredictionTarget::eps)
    fail<ConfigError>("save", {"a denoiser, which predicts ", to_string(options.prediction)},
                      {"a model of kind ", ModelDescription<M>::kind});
  nlohmann::ordered_json configuration{{"kind", ModelDescription<M>::kind}};
  configuration.update(json_of(description));
  SafetensorsWriter writer;
  writer.metadata("format", "pt");
  writer.metadata(model_key, configuration.dump());
  save_weights(writer, model, "", options.dtype.value_or(TensorTable<typename M::Backend>::exact));
  writer.write(path);
}

/// The configuration of a file: an object with the string "kind". Throws FileError for a file without one.
[[nodiscard]] inline nlohmann::json model_configuration(SafetensorsFile const& file) {
  std::string const shown = detail::shown_name(file.path());
  auto const found = file.metadata().find(model_key);
  if (found == file.metadata().end())
    fail<FileError>("load", {"the configuration of a model in ", shown}, "weights alone",
                    "build the model as it was built, and read them with load_weights");
  std::string const what = "the configuration of " + shown + " as one object of JSON with a kind";
  if (auto const twice = name_given_twice(found->second))
    fail<FileError>("load", what, {"two of ", detail::shown_name(*twice)});
  nlohmann::json json = parse_json<FileError>(found->second, "load", what);
  if (!json.is_object() || !json.contains("kind") || !json["kind"].is_string())
    fail<FileError>("load", what, detail::shown_text(found->second));
  return json;
}

namespace detail {
struct Prediction {
  diffusion::PredictionTarget prediction{};
  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("prediction", self.prediction);
  }
};
}  // namespace detail

/// What the denoiser of a file predicts. Throws FileError for a file without a denoiser's configuration.
[[nodiscard]] inline diffusion::PredictionTarget prediction_of(SafetensorsFile const& file) {
  detail::Prediction field;
  FieldReader("load", "the configuration of " + detail::shown_name(file.path()))
      .read_some_fields(model_configuration(file), field);
  return field.prediction;
}
[[nodiscard]] inline diffusion::PredictionTarget prediction_of(std::filesystem::path const& path) {
  return prediction_of(SafetensorsFile::read(path));
}

namespace detail {

/// The description of an M out of the configuration of a file, which may be that of a DiffSiam.
template <class M>
[[nodiscard]] ModelDescription<M> description_of(SafetensorsFile const& file, nlohmann::json json,
                                                 bool part) {
  ModelDescription<M> description;
  json.erase("kind");
  FieldReader const reader("load", "the configuration of " + shown_name(file.path()));
  part ? reader.read_some_fields(json, description) : reader.read(json, description);
  return description;
}

}  // namespace detail

/// The model that a file holds, with its weights. Throws
/// - FileError that names what is missing, unknown or wrong in the configuration, and the first weights that
///   are missing, misshaped, besides or not finite; for files without configuration it names load_weights;
/// - ConfigError for a model of another kind, and for sizes that cannot be built.
/// Backbones and heads of your own are read by the type that wrote them.
template <nn::Module M>
[[nodiscard]] M load(typename M::Backend::Context& context, SafetensorsFile const& file) {
  using Description = ModelDescription<M>;
  using Sketch = typename Description::template On<backend::DryRun<typename M::Backend>>;
  nlohmann::json const json = model_configuration(file);
  auto const kind = json["kind"].get<std::string>();
  bool const part = kind == "diffsiam" && !Description::within_diffsiam.empty();
  if (!part && kind != Description::kind)
    fail<ConfigError>("load", {"a file of kind ", Description::kind},
                      {detail::shown_name(file.path()), " of kind ", detail::shown_name(kind)});
  std::string const prefix{part ? Description::within_diffsiam : ""};
  // A denoiser shares its prefix with the decoder that borrows it.
  Besides besides;
  besides.anything = part;
  require_weights_of(file, prefix, besides, WeightFit::all, [&](backend::DryContext& dry) {
    return detail::description_of<Sketch>(file, json, part).build(dry);
  });
  M model = detail::description_of<M>(file, json, part).build(context);
  load_weights(file, model, prefix, besides);
  return model;
}
template <nn::Module M>
[[nodiscard]] M load(typename M::Backend::Context& context, std::filesystem::path const& path) {
  return load<M>(context, SafetensorsFile::read(path));
}

}  // namespace diffsiam::io

namespace diffsiam {

using io::load;
using io::prediction_of;
using io::save;

}  // namespace diffsiam
