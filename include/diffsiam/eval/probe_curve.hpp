// ProbeCurve: how much a linear probe reads from the features of an encoder while it learns. Test data are
// left alone: points are of validation data.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/eval/encode.hpp>
#include <diffsiam/eval/linear_probe.hpp>

namespace diffsiam::eval {

/// One question about pictures, such as their class or one of their factors.
struct ProbeTask {
  std::vector<int> train, validation;  ///< a label for each picture of the part, in [0, classes)
  int classes = 0;                     ///< 0 means the largest training label + 1
};

/// What the encoder was worth at a training step.
struct ProbePoint {
  std::uint64_t step = 0;  ///< of the encoder's training
  double accuracy = 0;     ///< of the linear probe on validation data, mean over tasks, in [0, 1]
};

/// Settings of ProbeCurve.
struct ProbeCurveConfig {
  Index most_train = 10000;  ///< so many of the first training pictures are used, so that a look costs little
  EncodeConfig encode{};     ///< with ranks, all of them look together, and all get the point
  LinearProbeConfig probe{};       ///< its `classes` are those of the task
  std::vector<ProbeTask> tasks{};  ///< if empty, the labels of the data sets are the one task
};

///     eval::ProbeCurve curve{train, validation};
///     curve.look(context, model.encoder(), step);  // now and then
class ProbeCurve {
 public:
  using Config = ProbeCurveConfig;

  /// Throws ConfigError for `most_train` below 1, and ShapeError unless each task, or the data sets where
  /// there is none, have a label for each picture.
  ProbeCurve(data::Dataset const& train, data::Dataset validation, Config config = {})
      : config_(std::move(config)), validation_(std::move(validation)) {
    auto& tasks = config_.tasks;
    if (tasks.empty()) tasks.push_back({train.labels(), validation_.labels(), train.classes()});
    if (config_.most_train < 1)
      fail<ConfigError>("ProbeCurve", "at least one training picture", config_.most_train);
    for (ProbeTask const& task : tasks)
      if (std::ssize(task.train) != train.size() || std::ssize(task.validation) != validation_.size())
        fail<ShapeError>("ProbeCurve",
                         {"a label for each of ", train.size(), " and ", validation_.size(), " pictures"},
                         {task.train.size(), " and ", task.validation.size(), " labels"});
    Index const used = std::min(config_.most_train, train.size());
    train_ = train.slice(0, used);
    for (ProbeTask& task : tasks) task.train.resize(static_cast<std::size_t>(used));
  }

  /// The training pictures that are used.
  [[nodiscard]] data::Dataset const& train() const& { return train_; }
  [[nodiscard]] data::Dataset train() const&& { return train_; }
  [[nodiscard]] data::Dataset const& validation() const& { return validation_; }
  [[nodiscard]] data::Dataset validation() const&& { return validation_; }

  /// Encodes both parts and adds the point of `step`. `pool` serves the probe; it may be null. Throws what
  /// encode() and linear_probe() throw.
  template <class Encoder>
  ProbePoint look(typename Encoder::Backend::Context& context, Encoder const& encoder, std::uint64_t step,
                  ThreadPool* pool = nullptr) {
    auto const z = encode(context, encoder, train_, config_.encode),
               unseen = encode(context, encoder, validation_, config_.encode);
    Index const dims = static_cast<Index>(z.size()) / train_.size();
    return add({z, train_.size(), dims}, {unseen, validation_.size(), dims}, step, pool);
  }
  /// Adds the point of features at hand, those of train() and of validation(), (pictures, dims) each.
  ProbePoint add(Features const& train, Features const& validation, std::uint64_t step,
                 ThreadPool* pool = nullptr) {
    double sum = 0;
    for (ProbeTask const& task : config_.tasks) {
      LinearProbeConfig probe = config_.probe;
      probe.classes = task.classes;
      Labelled const held_out{validation, task.validation};
      sum += linear_probe({train, task.train}, held_out, held_out, probe, pool).accuracy;
    }
    return points_.emplace_back(ProbePoint{step, sum / static_cast<double>(config_.tasks.size())});
  }

  /// In the order in which one looked.
  [[nodiscard]] std::vector<ProbePoint> const& points() const& { return points_; }
  [[nodiscard]] std::vector<ProbePoint> points() && { return std::move(points_); }

 private:
  Config config_;
  data::Dataset train_, validation_;
  std::vector<ProbePoint> points_;
};

}  // namespace diffsiam::eval
