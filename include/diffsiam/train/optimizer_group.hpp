// OptimizerGroup: several optimizers as one, each with its own schedule: the siamese heads by SGD beside an
// encoder by Adam.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include <diffsiam/core/text.hpp>
#include <diffsiam/train/learning_rate.hpp>
#include <diffsiam/train/optimizer.hpp>

namespace diffsiam::train {

/// An optimizer, borrowed, whose learning rate follows a schedule of its own steps.
template <Optimizer O, LearningRateSchedule S>
class Scheduled {
 public:
  using Backend = typename O::Backend;

  Scheduled(O& optimizer, S schedule) : optimizer_(&optimizer), schedule_(std::move(schedule)) {}

  void step(double factor = 1.0) { optimizer_->step(factor * schedule_(optimizer_->steps())); }
  void step(double factor, Ema<Backend>& ema) {
    detail::step_with(*optimizer_, factor * schedule_(optimizer_->steps()), ema);
  }
  [[nodiscard]] O& optimizer() const { return *optimizer_; }
  [[nodiscard]] S const& schedule() const& { return schedule_; }
  [[nodiscard]] S schedule() const&& { return schedule_; }
  [[nodiscard]] nn::ParameterList<Backend> const& parameters() const& { return optimizer_->parameters(); }
  [[nodiscard]] nn::ParameterList<Backend> parameters() const&& { return optimizer_->parameters(); }
  /// Of the coming step.
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

/// Optimizers, borrowed, that step together; the first one's learning rate speaks for all. No parameter may
/// belong to two of them (ConfigError): OptimizerGroup both{adam, scheduled_sgd};
template <Optimizer First, Optimizer... Rest>
class OptimizerGroup {
 public:
  using Backend = typename First::Backend;

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
  [[nodiscard]] std::tuple<First*, Rest*...> const& optimizers() const { return optimizers_; }
  [[nodiscard]] nn::ParameterList<Backend> const& parameters() const& { return list_; }
  [[nodiscard]] nn::ParameterList<Backend> parameters() const&& { return list_; }
  [[nodiscard]] double learning_rate() const { return std::get<0>(optimizers_)->learning_rate(); }
  /// Of the first; the others may have begun at another time.
  [[nodiscard]] std::uint64_t steps() const { return std::get<0>(optimizers_)->steps(); }
  /// The counts of all, their names behind "0.", "1.", ...
  template <class Visitor>
  void for_each_count(Visitor&& visitor) {
    for_each_numbered([&](std::string const& prefix, auto& optimizer) {
      optimizer.for_each_count(
          [&](std::string const& name, std::uint64_t& count) { visitor(prefix + name, count); });
    });
  }
  /// The states of all, named likewise.
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
