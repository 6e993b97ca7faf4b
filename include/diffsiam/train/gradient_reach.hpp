// GradientReach: finds the parameters of a list that the gradient of a tape has not reached, and trainable
// parameters on the tape that are not in the list. Both would go unnoticed otherwise: a layer that
// for_each_child does not name, or a module that was run on a plain tensor instead of a taped one, is never
// trained.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::train {

/// TrainStep uses it by itself. In your own training loop:
///
///     GradientReach<B> reach{adam.parameters()};
///     reach.require_known(tape); tape.backward(loss); reach.begin(tape);
///     for (auto const& name : reach.names_without_gradient()) ...
template <class B>
class GradientReach {
 public:
  /// Copies the handles of the parameters.
  explicit GradientReach(nn::ParameterList<B> const& list) : parameters_(list.parameters) {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      places_.push_back({parameters_[i].parameter.id(), i});
    std::sort(places_.begin(), places_.end());
    reached_.resize(parameters_.size());
  }

  /// Throws ConfigError if the tape has used a trainable parameter that is not in the list.
  void require_known(Tape<B> const& tape) const {
    tape.for_each_parameter([&](Parameter<B> const& parameter, bool) {
      if (place_of(parameter) == parameters_.size())
        fail<ConfigError>("train", "a loss whose trainable parameters all belong to the optimizer",
                          {"one of shape ", parameter.shape(), " that does not"},
                          "does for_each_child name its layer, and was its module given to the optimizer? "
                          "Freeze what is not to be trained, or set allow_other_parameters");
    });
  }
  /// Call it after the first backward pass of a step. It forgets earlier steps.
  void begin(Tape<B> const& tape) {
    without_.clear();
    mark(tape);
    for (std::size_t i = 0; i < reached_.size(); ++i)
      if (reached_[i] == 0 && parameters_[i].parameter.trainable()) without_.push_back(i);
  }
  /// Call it after each further backward pass of a step.
  void note(Tape<B> const& tape) {
    if (without_.empty()) return;
    mark(tape);
    std::erase_if(without_, [&](std::size_t i) { return reached_[i] != 0; });
  }

  /// Positions in the list of the trainable parameters that no gradient has reached.
  [[nodiscard]] std::vector<std::size_t> const& without_gradient() const& { return without_; }
  [[nodiscard]] std::vector<std::size_t> without_gradient() const&& { return without_; }
  /// Restores the positions from a checkpoint that was saved within a step.
  void restore(std::vector<std::size_t> places) { without_ = std::move(places); }
  /// The names of these parameters.
  [[nodiscard]] std::vector<std::string> names_without_gradient() const {
    std::vector<std::string> names;
    for (std::size_t const i : without_) names.push_back(parameters_[i].name.name);
    return names;
  }

 private:
  using Place = std::pair<void const*, std::size_t>;

  /// The position of a parameter, or the number of parameters if it is not in the list.
  [[nodiscard]] std::size_t place_of(Parameter<B> const& parameter) const {
    Place const first{parameter.id(), 0};
    auto const found = std::lower_bound(places_.begin(), places_.end(), first);
    return found != places_.end() && found->first == first.first ? found->second : parameters_.size();
  }
  void mark(Tape<B> const& tape) {
    std::fill(reached_.begin(), reached_.end(), char{0});
    tape.for_each_parameter([&](Parameter<B> const& parameter, bool reached) {
      std::size_t const i = reached ? place_of(parameter) : parameters_.size();
      if (i < parameters_.size()) reached_[i] = 1;
    });
  }

  std::vector<nn::NamedParameter<B>> parameters_;
  std::vector<Place> places_;  ///< sorted
  std::vector<char> reached_;  ///< whether the latest tape has reached a parameter
  std::vector<std::size_t> without_;
};

}  // namespace diffsiam::train
