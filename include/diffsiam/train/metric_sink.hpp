// Where the metrics of a stage go: JSON lines, TensorBoard, or a sink of the program. A stage opens and calls
// all of them in the same way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/io/json_lines.hpp>
#include <diffsiam/io/summary_writer.hpp>

namespace diffsiam::train {

/// Takes the metrics of one step, an object like {"step": 10, "loss": 0.25}.
using MetricSink = std::function<void(nlohmann::ordered_json const& record)>;

/// Where the steps of a stage begin.
struct StageStart {
  std::uint64_t step = 0;  ///< the number of steps that were done before
  /// True if the stage continues from a checkpoint; then a sink must forget later steps. Otherwise it must
  /// forget everything, because the stage begins anew.
  bool resumed = false;
};

/// Called when the steps begin; returns the sink. Not called for a stage that has ended.
using MetricOutput = std::function<MetricSink(StageStart const&)>;

/// Writes one line for each step (io::JsonLines).
[[nodiscard]] inline MetricOutput json_lines(std::filesystem::path path) {
  return [path = std::move(path)](StageStart const& start) -> MetricSink {
    auto const lines = std::make_shared<io::JsonLines>(
        start.resumed ? io::JsonLines::resume(path, static_cast<std::int64_t>(start.step))
                      : io::JsonLines::create(path));
    return [lines](nlohmann::ordered_json const& record) { lines->append(record); };
  };
}

/// Writes a curve for each number of the record, with the same name. The writer is borrowed, and the program
/// may add its own curves and pictures to it.
///
///     io::SummaryWriter writer{run / "tensorboard"};
///     stage.metrics_to = {train::tensorboard(writer)};
[[nodiscard]] inline MetricOutput tensorboard(io::SummaryWriter& writer) {
  return [&writer](StageStart const& start) -> MetricSink {
    writer.purge_from(start.resumed ? start.step + 1 : 0);
    return [&writer](nlohmann::ordered_json const& record) {
      std::vector<io::Scalar> scalars;
      for (auto const& [name, value] : record.items())
        if (value.is_number() && name != "step") scalars.push_back({name, value.get<double>()});
      writer.add_scalars(scalars, record.at("step").get<std::uint64_t>());
    };
  };
}

}  // namespace diffsiam::train
