// Checkpoint: saves a run so completely that a resumed run ends with the same bits as one without a stop. It
// is one safetensors file, which is replaced atomically:
//   model.*      all weights and buffers, with published names and layouts
//   ema.*        the averages, also with published names and layouts
//   optimizer.*  the states of the optimizer
//   gradient.*, proposal.*   gradients and proposed buffers of a step that has begun
//   metadata     "config" is the caller's JSON; "training" has all counts (steps of the run and of each
//                optimizer, updates of the average), the step that has begun, RNG, loss scale, data position
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/text.hpp>
#include <diffsiam/io/json.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/io/safetensors.hpp>
#include <diffsiam/train/config_difference.hpp>
#include <diffsiam/train/elements.hpp>
#include <diffsiam/train/run_state.hpp>

namespace diffsiam::train {

/// Saves a TrainStep with its optimizer and EMA, and the modules that it trains. Settings, such as learning
/// rates, are not restored; the program sets them again.
class Checkpoint {
 public:
  struct Config {
    std::string config = "{}";            ///< the configuration of the run, in JSON
    std::vector<std::string> may_differ;  ///< keys that may change when a run is resumed, such as "threads"
  };

  explicit Checkpoint(std::filesystem::path path) : Checkpoint(std::move(path), Config{}) {}
  /// Throws ConfigError if the configuration is not JSON.
  Checkpoint(std::filesystem::path path, Config config) : path_(std::move(path)), config_(std::move(config)) {
    (void)detail::parsed_config(config_.config, "this run");
  }

  [[nodiscard]] std::filesystem::path const& path() const& { return path_; }
  [[nodiscard]] std::filesystem::path path() const&& { return path_; }
  /// Whether the file exists. Throws FileError if a folder has its name, or if it may not be read.
  [[nodiscard]] bool exists() const { return io::file_exists(path_); }

  /// Throws ConfigError if the optimizer trains a parameter that is not in `modules`: that parameter would
  /// not be saved, but the state of its optimizer would. Call it when a run begins; save and load also check
  /// it.
  template <class Step, nn::Module... M>
  void require_complete(Step const& step, M const&... modules) const {
    nn::ParameterList<typename Step::Backend> saved;
    (saved.add(modules), ...);
    for (auto const& [name, parameter] : step.optimizer().parameters().parameters)
      if (std::none_of(saved.parameters.begin(), saved.parameters.end(),
                       [&](auto const& entry) { return entry.parameter.same_as(parameter); }))
        fail<ConfigError>("checkpoint", "modules that hold all that the optimizer trains",
                          {"none with '", name.name, "' of shape ", parameter.shape()},
                          "give all modules that are trained");
  }

  /// Replaces the file. Throws FileError if it cannot be written, NumericError if a weight is not finite,
  /// ConfigError as require_complete does, Error during an Ema::Scope. After an error the old file is
  /// unchanged.
  template <class Step, nn::Module... M>
  void save(Step const& step, DataPosition const& data, M const&... modules) const {
    using B = typename Step::Backend;
    if (step.ema() != nullptr) step.ema()->require_outside("Checkpoint::save");
    require_complete(step, modules...);
    io::SafetensorsWriter writer;
    Sections<B> const sections = sections_of(step, step.pending().micro_batches > 0, modules...);
    sections.model.save(writer, "model.");
    io::save_settings(writer, settings_of(modules...), "model.");
    sections.ema.save(writer, "ema.");
    sections.optimizer.save(writer, "optimizer.");
    sections.gradients.save(writer, "gradient.");
    std::vector<std::string> const proposed = proposed_by(step);
    proposals(step, proposed, true).save(writer, "proposal.");
    writer.metadata("format", std::string(format));
    writer.metadata("config", config_.config);
    writer.metadata("training", detail::RunState::of(step, data, proposed).json().dump());
    writer.write(path_);
  }

  /// Restores everything and returns the position of the data. Throws FileError if the file is damaged or
  /// belongs to another architecture; ConfigError, which names the key, if a setting differs, and as
  /// require_complete does. Nothing is changed then. Only std::bad_alloc may leave a part restored; then call
  /// load again.
  template <class Step, nn::Module... M>
  [[nodiscard]] DataPosition load(Step& step, M const&... modules) const {
    using B = typename Step::Backend;
    if (step.ema() != nullptr) step.ema()->require_outside("Checkpoint::load");
    require_complete(step, modules...);
    auto const file = io::SafetensorsFile::read(path_);
    detail::RunState const state = read_state(file);
    require_same_config(metadata(file, "config"));
    if (auto const scalar = io::dtype_name(io::TensorTable<B>::exact); state.scalar != scalar)
      fail<FileError>("checkpoint", {"a run in ", scalar, " in ", shown_path()}, state.scalar,
                      "only the same scalar type ends bit for bit");
    if (state.accumulate != step.config().accumulate && state.pending.micro_batches > 0)
      fail<ConfigError>("checkpoint", {"accumulate = ", state.accumulate, " as in ", shown_path()},
                        step.config().accumulate, "a step that has begun is completed as it began");
    if (state.ema_updates.has_value() != (step.ema() != nullptr))
      fail<FileError>("checkpoint", step.ema() ? "an EMA in " + shown_path() : "no EMA in " + shown_path(),
                      state.ema_updates ? "one" : "none");
    if (state.loss_scale.has_value() != step.loss_scaler().has_value())
      fail<FileError>("checkpoint",
                      {step.loss_scaler() ? "a loss scale in " : "no loss scale in ", shown_path()},
                      state.loss_scale ? "one" : "none");
    auto scaler = step.loss_scaler();
    if (scaler) scaler->restore(*state.loss_scale);

    for (std::size_t const place : state.pending.without_gradient)
      if (place >= step.optimizer().parameters().parameters.size())
        fail<FileError>("checkpoint", {"places of parameters in the state of ", shown_path()}, place);
    auto const counts = detail::counts_of(step.optimizer());
    require_same_counts(state.optimizer_counts, counts);

    Sections<B> const sections = sections_of(step, state.pending.micro_batches > 0, modules...);
    io::Besides const nothing_else{.anything = false, .parts = {}};
    io::require_same_settings(file,
                              io::differing_settings(file, settings_of(modules...), "model.", nothing_else));
    auto const model = sections.model.locate(file, "model.", nothing_else);
    auto const ema = sections.ema.locate(file, "ema.", nothing_else);
    auto const optimizer = sections.optimizer.locate(file, "optimizer.", nothing_else);
    auto const gradients = sections.gradients.locate(file, "gradient.", nothing_else);
    auto const proposal_names =
        proposals(step, state.proposed, false).locate(file, "proposal.", nothing_else);

    step.discard();
    sections.model.load(file, model);
    sections.ema.load(file, ema);
    sections.optimizer.load(file, optimizer);
    sections.gradients.load(file, gradients);
    proposals(step, state.proposed, true).load(file, proposal_names);
    for (auto const& [name, count] : counts) *count = state.optimizer_counts.at(name);
    if (step.ema() != nullptr) step.ema()->set_updates(*state.ema_updates);
    step.loss_scaler() = scaler;
    step.restore(state.steps, state.pending, state.rng);
    return state.data;
  }

  /// The configuration that is stored in a checkpoint. Throws FileError.
  [[nodiscard]] static std::string config_of(std::filesystem::path const& path) {
    return metadata(io::SafetensorsFile::read(path), "config");
  }

 private:
  static constexpr std::string_view format = "diffsiam checkpoint 2";
  /// The older format has a single count of steps for all optimizers.
  static constexpr std::string_view older_format = "diffsiam checkpoint 1";

  template <class B>
  struct Sections {
    io::TensorTable<B> model, ema, optimizer, gradients;
  };
  template <class Step, class... M>
  static auto sections_of(Step const& step, bool with_gradients, M const&... modules) {
    Sections<typename Step::Backend> result;
    (io::add_weights(result.model, modules), ...);
    if (step.ema() != nullptr)
      step.ema()->for_each_state(
          [&](std::string const& name, auto const& tensor, PublishedLayout const& layout) {
            result.ema.add(name, tensor, layout);
          });
    step.optimizer().for_each_state(
        [&](std::string const& name, auto const& tensor) { result.optimizer.add(name, tensor); });
    auto const& parameters = step.optimizer().parameters().parameters;
    auto const labels = detail::labels(parameters);
    for (std::size_t i = 0; with_gradients && i < labels.size(); ++i)
      if (parameters[i].parameter.trainable())
        result.gradients.add(labels[i], parameters[i].parameter.gradient());
    return result;
  }

  template <class... M>
  static nn::SettingList settings_of(M const&... modules) {
    nn::SettingList result;
    (result.add(modules), ...);
    return result;
  }

  /// Names of the buffers that have a proposed value.
  template <class Step>
  static std::vector<std::string> proposed_by(Step const& step) {
    auto const& buffers = step.optimizer().parameters().buffers;
    auto const labels = detail::labels(buffers);
    std::vector<std::string> result;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (step.pending().micro_batches > 0 && buffers[i].buffer.proposed()) result.push_back(labels[i]);
    return result;
  }
  /// The buffers with these names: their proposed values, or their values (to compare them with a file).
  template <class Step>
  static auto proposals(Step const& step, std::vector<std::string> const& names, bool propose) {
    io::TensorTable<typename Step::Backend> result;
    auto const& buffers = step.optimizer().parameters().buffers;
    auto const labels = detail::labels(buffers);
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (std::find(names.begin(), names.end(), labels[i]) != names.end())
        result.add(labels[i], propose ? buffers[i].buffer.proposal() : buffers[i].buffer.value());
    return result;
  }

  [[nodiscard]] static std::string const& metadata(io::SafetensorsFile const& file, std::string const& key) {
    auto const found = file.metadata().find(key);
    if (found == file.metadata().end())
      fail<FileError>("checkpoint", {"metadata '", key, "' in '", file.path(), "'"}, "none",
                      "is it a checkpoint of a run, or weights alone?");
    return found->second;
  }
  [[nodiscard]] detail::RunState read_state(io::SafetensorsFile const& file) const {
    std::string const& found = metadata(file, "format");
    if (found != format && found != older_format)
      fail<FileError>("checkpoint", {format, " in ", shown_path()}, io::detail::shown_text(found));
    return detail::RunState::from_json(metadata(file, "training"), shown_path(), found == older_format);
  }
  void require_same_counts(std::map<std::string, std::uint64_t> const& saved,
                           std::map<std::string, std::uint64_t*> const& present) const {
    bool const same = std::equal(saved.begin(), saved.end(), present.begin(), present.end(),
                                 [](auto const& a, auto const& b) { return a.first == b.first; });
    auto const names = [](auto const& counts) {
      std::string list;
      for (auto const& [name, count] : counts) list += (list.empty() ? "'" : ", '") + name + "'";
      return list;
    };
    if (!same)
      fail<FileError>("checkpoint", {"counts of ", names(present), " in ", shown_path()},
                      io::detail::shown_text(names(saved)),
                      "of other optimizers, or in the older format, which kept one count for all of them");
  }
  void require_same_config(std::string const& saved) const {
    auto const found = config_difference(saved, config_.config, config_.may_differ);
    if (found)
      fail<ConfigError>("checkpoint", {found->key, " = ", found->saved, " as in ", shown_path()},
                        found->present, "resume with the settings of that run, or start a new one");
  }
  [[nodiscard]] std::string shown_path() const { return "'" + path_.string() + "'"; }

  std::filesystem::path path_;
  Config config_;
};

}  // namespace diffsiam::train
