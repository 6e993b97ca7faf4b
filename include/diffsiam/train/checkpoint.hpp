// Checkpoint: a run on disk, complete enough that it ends bit for bit where it would have without a stop.
// One safetensors file, replaced atomically:
//   model.*      all weights and buffers, published names and layouts      ema.*        the averages,
//   likewise optimizer.*  its states                  gradient.*, proposal.*        of a step that had begun
//   metadata     "config" (the caller's JSON) and "training" (steps, pending step, RNG, loss scale, data
//   position)
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/text.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/io/safetensors.hpp>
#include <diffsiam/train/config_difference.hpp>
#include <diffsiam/train/elements.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::train {

/// Where the data stood: the next batch, and the seed of the order of samples.
struct DataPosition {
  std::uint64_t epoch = 0, batch = 0, order_seed = 0;
  [[nodiscard]] bool operator==(DataPosition const&) const = default;
};

/// Saves a TrainStep with its optimizer and EMA, and the modules it trains.
class Checkpoint {
 public:
  struct Config {
    std::string config = "{}";            ///< of the run, in JSON
    std::vector<std::string> may_differ;  ///< keys that may have another value on resuming, such as "threads"
  };

  explicit Checkpoint(std::filesystem::path path) : Checkpoint(std::move(path), Config{}) {}
  /// Throws ConfigError when the configuration is no JSON.
  Checkpoint(std::filesystem::path path, Config config) : path_(std::move(path)), config_(std::move(config)) {
    (void)detail::parsed_config(config_.config, "this run");
  }

  [[nodiscard]] std::filesystem::path const& path() const& { return path_; }
  [[nodiscard]] std::filesystem::path path() const&& { return path_; }
  /// Throws FileError for a folder in the way, or a file that may not be read.
  [[nodiscard]] bool exists() const { return io::file_exists(path_); }

  /// Replaces the file. Throws FileError when it cannot be written, NumericError when a weight is not finite,
  /// Error during an Ema::Scope; the last good file is kept.
  template <class Step, nn::Module... M>
  void save(Step const& step, DataPosition const& data, M const&... modules) const {
    using B = typename Step::Backend;
    if (step.ema() != nullptr) step.ema()->require_outside("Checkpoint::save");
    io::SafetensorsWriter writer;
    Sections<B> const sections = sections_of(step, step.pending().micro_batches > 0, modules...);
    sections.model.save(writer, "model.");
    io::save_settings(writer, settings_of(modules...), "model.");
    sections.ema.save(writer, "ema.");
    sections.optimizer.save(writer, "optimizer.");
    sections.gradients.save(writer, "gradient.");
    proposals(step, proposed(step), true).save(writer, "proposal.");
    writer.metadata("format", std::string(format));
    writer.metadata("config", config_.config);
    writer.metadata("training", to_json(step, data).dump());
    writer.write(path_);
  }

  /// Brings everything back and returns where the data stood. Throws FileError when the file is damaged or of
  /// another architecture, ConfigError naming the key or setting whose value is another; then nothing is
  /// changed.
  template <class Step, nn::Module... M>
  [[nodiscard]] DataPosition load(Step& step, M const&... modules) const {
    using B = typename Step::Backend;
    if (step.ema() != nullptr) step.ema()->require_outside("Checkpoint::load");
    auto const file = io::SafetensorsFile::read(path_);
    State const state = read_state(file, io::dtype_name(io::TensorTable<B>::exact));
    require_same_config(file.metadata().at("config"));
    if (state.accumulate != step.config().accumulate && state.pending.micro_batches > 0)
      fail<ConfigError>("checkpoint", {"accumulate = ", state.accumulate, " as in ", shown_path()},
                        step.config().accumulate, "a step that has begun is completed as it began");
    if (state.has_ema != (step.ema() != nullptr))
      fail<FileError>("checkpoint", step.ema() ? "an EMA in " + shown_path() : "no EMA in " + shown_path(),
                      state.has_ema ? "one" : "none");
    if (state.loss_scale.has_value() != step.loss_scaler().has_value())
      fail<FileError>("checkpoint",
                      {step.loss_scaler() ? "a loss scale in " : "no loss scale in ", shown_path()},
                      state.loss_scale ? "one" : "none");
    auto scaler = step.loss_scaler();
    if (scaler) scaler->restore(*state.loss_scale);

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
    step.optimizer().set_steps(state.optimizer_steps);
    if (step.ema() != nullptr) step.ema()->set_updates(state.ema_updates);
    step.loss_scaler() = scaler;
    step.restore(state.steps, state.pending, state.rng);
    return state.data;
  }

  /// The configuration inside a checkpoint, as it was given. Throws FileError.
  [[nodiscard]] static std::string config_of(std::filesystem::path const& path) {
    return metadata(io::SafetensorsFile::read(path), "config");
  }

 private:
  static constexpr std::string_view format = "diffsiam checkpoint 1";

  template <class B>
  struct Sections {
    io::TensorTable<B> model, ema, optimizer, gradients;
  };
  struct State {
    std::uint64_t steps = 0, optimizer_steps = 0, ema_updates = 0;
    bool has_ema = false;
    std::optional<LossScaler::State> loss_scale;
    int accumulate = 1;
    PendingStep pending;
    std::vector<std::string> proposed;
    Rng rng;
    DataPosition data;
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

  /// Names of the buffers that hold a proposal.
  template <class Step>
  static std::vector<std::string> proposed(Step const& step) {
    auto const& buffers = step.optimizer().parameters().buffers;
    auto const labels = detail::labels(buffers);
    std::vector<std::string> result;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (step.pending().micro_batches > 0 && buffers[i].buffer.proposed()) result.push_back(labels[i]);
    return result;
  }
  /// The buffers of these names: their proposals, or (to check a file against) their values.
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

  template <class Step>
  static nlohmann::json to_json(Step const& step, DataPosition const& data) {
    PendingStep const& pending = step.pending();
    nlohmann::json parts = nlohmann::json::array();
    for (auto const& [name, value] : pending.parts) parts.push_back({{"name", name}, {"value", value}});
    Rng const& rng = step.config().rng;
    nlohmann::json result{
        {"scalar", io::dtype_name(io::TensorTable<typename Step::Backend>::exact)},
        {"steps", step.steps()},
        {"optimizer_steps", step.optimizer().steps()},
        {"accumulate", step.config().accumulate},
        {"pending",
         {{"micro_batches", pending.micro_batches},
          {"loss", pending.loss},
          {"parts", parts},
          {"seconds", pending.seconds},
          {"images", pending.images},
          {"proposed", proposed(step)}}},
        {"rng", {{"seed", rng.seed}, {"stream", rng.stream}, {"step", rng.step}}},
        {"data", {{"epoch", data.epoch}, {"batch", data.batch}, {"order_seed", data.order_seed}}}};
    if (step.ema() != nullptr) result["ema_updates"] = step.ema()->updates();
    if (auto const& scaler = step.loss_scaler())
      result["loss_scale"] = {{"scale", scaler->scale()}, {"good_steps", scaler->state().good_steps}};
    return result;
  }

  [[nodiscard]] static std::string const& metadata(io::SafetensorsFile const& file, std::string const& key) {
    auto const found = file.metadata().find(key);
    if (found == file.metadata().end())
      fail<FileError>("checkpoint", {"metadata '", key, "' in '", file.path(), "'"}, "none",
                      "is it a checkpoint of a run, or weights alone?");
    return found->second;
  }
  [[nodiscard]] State read_state(io::SafetensorsFile const& file, std::string_view scalar) const {
    if (std::string const& found = metadata(file, "format"); found != format)
      fail<FileError>("checkpoint", {format, " in ", shown_path()}, found);
    (void)metadata(file, "config");
    State state;
    std::string saved_scalar;
    try {
      auto const json = nlohmann::json::parse(metadata(file, "training"));
      saved_scalar = json.at("scalar").get<std::string>();
      state.steps = count(json.at("steps"));
      state.optimizer_steps = count(json.at("optimizer_steps"));
      state.has_ema = json.contains("ema_updates");
      if (state.has_ema) state.ema_updates = count(json.at("ema_updates"));
      if (json.contains("loss_scale"))
        state.loss_scale = {json.at("loss_scale").at("scale").get<double>(),
                            count(json.at("loss_scale").at("good_steps"))};
      state.accumulate = small_count(json.at("accumulate"));
      auto const& pending = json.at("pending");
      state.pending.micro_batches = small_count(pending.at("micro_batches"));
      state.pending.loss = pending.at("loss").get<double>();
      for (auto const& part : pending.at("parts"))
        state.pending.parts.push_back({part.at("name").get<std::string>(), part.at("value").get<double>()});
      state.pending.seconds = pending.at("seconds").get<double>();
      state.pending.images = small_count(pending.at("images"));
      state.proposed = pending.at("proposed").get<std::vector<std::string>>();
      auto const& rng = json.at("rng");
      state.rng = {count(rng.at("seed")), static_cast<std::uint32_t>(count(rng.at("stream"), UINT32_MAX)),
                   count(rng.at("step"))};
      auto const& data = json.at("data");
      state.data = {count(data.at("epoch")), count(data.at("batch")), count(data.at("order_seed"))};
    } catch (nlohmann::json::exception const& error) {
      fail<FileError>("checkpoint", {"the state of a run in ", shown_path()}, error.what());
    }
    if (state.pending.micro_batches >= std::max(1, state.accumulate))
      fail<FileError>("checkpoint", {"fewer micro-batches done than a step has, in ", shown_path()},
                      {state.pending.micro_batches, " of ", state.accumulate});
    if (saved_scalar != scalar)
      fail<FileError>("checkpoint", {"a run in ", scalar, " in ", shown_path()}, saved_scalar,
                      "only the same scalar type ends bit for bit");
    return state;
  }
  [[nodiscard]] std::uint64_t count(nlohmann::json const& value, std::uint64_t most = UINT64_MAX) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most)
      fail<FileError>("checkpoint",
                      "whole numbers up to " + std::to_string(most) + " in the state of " + shown_path(),
                      value.dump());
    return value.get<std::uint64_t>();
  }
  [[nodiscard]] int small_count(nlohmann::json const& value) const {
    return static_cast<int>(count(value, INT32_MAX));
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
