// OptimizerGroup: several optimizers that act as one, each with its own schedule. For example, the siamese
// heads are trained by SGD and an encoder by Adam.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include <diffsiam/core/text.hpp>
#include <diffsiam/train/learning_rate.hpp>
#include <diffsiam/train/optimizer.hpp>

namespace diffsiam::train {

/// A borrowed optimizer whose learning rate follows a schedule of its own steps.
template <Optimizer O, LearningRateSchedule S>
class Scheduled {
 public:
  using Backend = typename O::Backend;

  /// Borrows `optimizer`.
  Scheduled(O& optimizer, S schedule) : optimizer_(&optimizer), schedule_(std::move(schedule)) {}

  void step(double factor = 1.0) { optimizer_->step(factor * schedule_(optimizer_->steps())); }
  void step(double factor, Ema<Backend>& ema) {
    detail::step_with(*optimizer_, factor * schedule_(optimizer_->steps()), ema);
  }
  /// The borrowed optimizer.
  [[nodiscard]] O& optimizer() const { return *optimizer_; }
  [[nodiscard]] S const& schedule() const& { return schedule_; }
  [[nodiscard]] S schedule() const&& { return schedule_; }
  [[nodiscard]] nn::ParameterList<Backend> const& parameters() const& { return optimizer_->parameters(); }
  [[nodiscard]] nn::ParameterList<Backend> parameters() const&& { return optimizer_->parameters(); }
  /// The learning rate of the next step.
  [[nodiscard]] double learning_rate() const {
    return optimizer_->learning_rate() * schedule_(optimizer_->steps());
  }
  [[nodiscard]] std::uint64_t steps() const { return optimizer_->steps(); }
  template <class Visitor>
  void for_each_count(Visitor&& visitor) {
    optimizer_->for_each_count(visitor);
  }
  template <class Visitor>
  void for_each_state(Visitor&& visitor) const {
    optimizer_->for_each_state(visitor);
  }

 private:
  O* optimizer_;
  S schedule_;
};

/// Borrowed optimizers that step together: OptimizerGroup both{adam, scheduled_sgd};
/// learning_rate() is that of the first. Throws ConfigError if a parameter belongs to two of them.
template <Optimizer First, Optimizer... Rest>
class OptimizerGroup {
 public:
  using Backend = typename First::Backend;

  /// Borrows the optimizers. Throws ConfigError if a parameter belongs to two of them.
  explicit OptimizerGroup(First& first, Rest&... rest) : optimizers_(&first, &rest...) {
    add(first);
    (add(rest), ...);
  }

  void step(double factor = 1.0) {
    for_each([&](auto& optimizer) { optimizer.step(factor); });
  }
  void step(double factor, Ema<Backend>& ema) {
    for_each([&](auto& optimizer) { detail::step_with(optimizer, factor, ema); });
  }
  /// Pointers to them, in the order in which they were given.
  [[nodiscard]] std::tuple<First*, Rest*...> const& optimizers() const { return optimizers_; }
  [[nodiscard]] nn::ParameterList<Backend> const& parameters() const& { return list_; }
  [[nodiscard]] nn::ParameterList<Backend> parameters() const&& { return list_; }
  [[nodiscard]] double learning_rate() const { return std::get<0>(optimizers_)->learning_rate(); }
  /// The steps of the first; the others may have begun at another time.
  [[nodiscard]] std::uint64_t steps() const { return std::get<0>(optimizers_)->steps(); }
  /// The counts of all optimizers; their names are preceded by "0.", "1.", ...
  template <class Visitor>
  void for_each_count(Visitor&& visitor) {
    for_each_numbered([&](std::string const& prefix, auto& optimizer) {
      optimizer.for_each_count(
          [&](std::string const& name, std::uint64_t& count) { visitor(prefix + name, count); });
    });
  }
  /// The states of all optimizers, with names of the same kind.
  template <class Visitor>
  void for_each_state(Visitor&& visitor) const {
    for_each_numbered([&](std::string const& prefix, auto const& optimizer) {
      optimizer.for_each_state(
          [&](std::string const& name, auto const& state) { visitor(prefix + name, state); });
    });
  }

 private:
  template <class F>
  void for_each(F f) const {
    std::apply([&](auto*... optimizer) { (f(*optimizer), ...); }, optimizers_);
  }
  template <class F>
  void for_each_numbered(F f) const {
    int number = 0;
    for_each([&](auto& optimizer) { f(std::to_string(number++) + ".", optimizer); });
  }
  template <class O>
  void add(O const& optimizer) {
    for (auto const& entry : optimizer.parameters().parameters) {
      for (auto const& known : list_.parameters)
        if (known.parameter.same_as(entry.parameter))
          fail<ConfigError>("OptimizerGroup", "every parameter in one optimizer only",
                            {"'", entry.name.name, "' in two"});
      list_.parameters.push_back(entry);
    }
    for (auto const& entry : optimizer.parameters().buffers) {
      bool known = false;
      for (auto const& other : list_.buffers) known = known || other.buffer.same_as(entry.buffer);
      if (!known) list_.buffers.push_back(entry);
    }
  }

  std::tuple<First*, Rest*...> optimizers_;
  nn::ParameterList<Backend> list_;
};

}  // namespace diffsiam::train
