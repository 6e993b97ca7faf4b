// RunState: the part of a checkpoint that is not tensors: all counts and the position of the data, as JSON.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/io/json.hpp>
#include <diffsiam/io/tensor_table.hpp>
#include <diffsiam/train/step.hpp>

namespace diffsiam::train {

/// The position of the data: the next batch, and the seed of the order of samples.
/// `epoch` and `batch` count from 0, and `order_seed` shuffles.
struct DataPosition {
  std::uint64_t epoch = 0, batch = 0, order_seed = 0;
  [[nodiscard]] bool operator==(DataPosition const&) const = default;
};

namespace detail {

/// The counts of the optimizers, by name.
template <Optimizer O>
[[nodiscard]] std::map<std::string, std::uint64_t*> counts_of(O& optimizer) {
  std::map<std::string, std::uint64_t*> result;
  optimizer.for_each_count([&](std::string const& name, std::uint64_t& count) { result[name] = &count; });
  return result;
}

struct RunState {
  std::string scalar;  ///< the scalar type of the backend
  std::uint64_t steps = 0;
  std::map<std::string, std::uint64_t> optimizer_counts;
  std::optional<std::uint64_t> ema_updates;
  std::optional<LossScaler::State> loss_scale;
  int accumulate = 1;
  Accumulation pending;
  std::vector<std::string> proposed;  ///< names of the buffers that have a proposed value
  Rng rng;
  DataPosition data;

  template <class Step>
  [[nodiscard]] static RunState of(Step const& step, DataPosition const& data,
                                   std::vector<std::string> proposed) {  // NOLINT(*-value-param): moved.
    RunState state{.scalar = std::string(io::dtype_name(io::TensorTable<typename Step::Backend>::exact)),
                   .steps = step.steps(),
                   .optimizer_counts = {},
                   .ema_updates = {},
                   .loss_scale = {},
                   .accumulate = step.config().accumulate,
                   .pending = step.pending(),
                   .proposed = std::move(proposed),
                   .rng = step.config().rng,
                   .data = data};
    for (auto const& [name, count] : counts_of(step.optimizer())) state.optimizer_counts[name] = *count;
    if (step.ema() != nullptr) state.ema_updates = step.ema()->updates();
    if (auto const& scaler = step.loss_scaler()) state.loss_scale = scaler->state();
    return state;
  }

  [[nodiscard]] nlohmann::json json() const {
    nlohmann::json parts = nlohmann::json::array();
    for (auto const& [name, value] : pending.parts) parts.push_back({{"name", name}, {"value", value}});
    nlohmann::json result{
        {"scalar", scalar},
        {"steps", steps},
        {"optimizer_counts", optimizer_counts},
        {"accumulate", accumulate},
        {"pending",
         {{"micro_batches", pending.micro_batches},
          {"loss", pending.loss},
          {"parts", parts},
          {"seconds", pending.seconds},
          {"images", pending.images},
          {"first_images", pending.first_images},
          {"without_gradient", pending.without_gradient},
          {"proposed", proposed}}},
        {"rng", {{"seed", rng.seed}, {"stream", rng.stream}, {"step", rng.step}}},
        {"data", {{"epoch", data.epoch}, {"batch", data.batch}, {"order_seed", data.order_seed}}}};
    if (ema_updates) result["ema_updates"] = *ema_updates;
    if (loss_scale)
      result["loss_scale"] = {{"scale", loss_scale->scale}, {"good_steps", loss_scale->good_steps}};
    return result;
  }

  /// Throws FileError, which names the file, unless `text` is a result of json(). `older` means the format
  /// with one count for all optimizers; it can be read only if no step had begun.
  [[nodiscard]] static RunState from_json(std::string const& text, std::string const& file, bool older) {
    RunState state;
    auto const count = [&](nlohmann::json const& value) {
      if (!value.is_number_unsigned())
        fail<FileError>("checkpoint", {"whole numbers in the state of ", file},
                        io::detail::shown_text(value.dump()));
      return value.get<std::uint64_t>();
    };
    auto const count_to = [&](std::uint64_t most, nlohmann::json const& value) {
      if (count(value) > most)
        fail<FileError>("checkpoint", {"a count up to ", most, " in the state of ", file}, value.dump());
      return value.get<std::uint64_t>();
    };
    auto const small_count = [&](nlohmann::json const& value) {
      return static_cast<int>(count_to(INT32_MAX, value));
    };
    Accumulation& pending = state.pending;
    try {
      auto const json = io::parse_json<FileError>(text, "checkpoint", {"the state of a run in ", file});
      state.scalar = json.at("scalar").get<std::string>();
      state.steps = count(json.at("steps"));
      if (older) state.optimizer_counts["steps"] = count(json.at("optimizer_steps"));
      if (!older)
        for (auto const& [name, value] : json.at("optimizer_counts").items())
          state.optimizer_counts[name] = count(value);
      if (json.contains("ema_updates")) state.ema_updates = count(json.at("ema_updates"));
      if (json.contains("loss_scale"))
        state.loss_scale = {json.at("loss_scale").at("scale").get<double>(),
                            count(json.at("loss_scale").at("good_steps"))};
      state.accumulate = small_count(json.at("accumulate"));
      auto const& begun = json.at("pending");
      pending.micro_batches = small_count(begun.at("micro_batches"));
      pending.loss = begun.at("loss").get<double>();
      for (auto const& part : begun.at("parts"))
        pending.parts.push_back({part.at("name").get<std::string>(), part.at("value").get<double>()});
      pending.seconds = begun.at("seconds").get<double>();
      pending.images = small_count(begun.at("images"));
      if (!older) {
        pending.first_images = small_count(begun.at("first_images"));
        for (auto const& place : begun.at("without_gradient"))
          pending.without_gradient.push_back(static_cast<std::size_t>(count(place)));
      }
      state.proposed = begun.at("proposed").get<std::vector<std::string>>();
      auto const& rng = json.at("rng");
      state.rng = {count(rng.at("seed")), static_cast<std::uint32_t>(count_to(UINT32_MAX, rng.at("stream"))),
                   count(rng.at("step"))};
      auto const& data = json.at("data");
      state.data = {count(data.at("epoch")), count(data.at("batch")), count(data.at("order_seed"))};
    } catch (nlohmann::json::exception const& error) {
      fail<FileError>("checkpoint", {"the state of a run in ", file}, io::detail::shown_text(error.what()));
    }
    if (pending.micro_batches >= std::max(1, state.accumulate))
      fail<FileError>("checkpoint", {"fewer micro-batches done than a step has, in ", file},
                      {pending.micro_batches, " of ", state.accumulate});
    if (pending.micro_batches > 0 && older)
      fail<FileError>("checkpoint", {"a state between two steps in ", file},
                      {pending.micro_batches, " micro-batches of a step"},
                      "the older format keeps less of a step that has begun than it takes");
    if ((pending.first_images > 0) != (pending.images > 0) && !older)
      fail<FileError>("checkpoint", {"images in all or no micro-batches of the step in ", file},
                      {pending.first_images, " in the first of ", pending.images});
    return state;
  }
};

}  // namespace detail

}  // namespace diffsiam::train
