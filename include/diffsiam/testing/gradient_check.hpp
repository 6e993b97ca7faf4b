// The gradient check compares gradients of the tape with central differences, in double. The function is <r,
// f(x)> with a random r, so that every output counts. All parameters are randomised first, because a layer
// whose weights are zero would always pass.
#pragma once

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include <diffsiam/nn/module.hpp>
#include <diffsiam/testing/case.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::testing {

/// Settings of check_gradients().
struct GradientOptions {
  double step = 1e-4;   ///< of the differences, relative to the root mean square of a tensor
  Index entries = 24;   ///< checked for each tensor; larger tensors are also checked along a random direction
  double floor = 1e-3;  ///< errors are divided by at least this fraction of the largest gradient
  std::uint64_t seed = 1;      ///< for parameters, r, entries and directions
  Mode mode = Mode::training;  ///< of the tape
  Rng rng{};                   ///< of the tape, for dropout
};

/// The largest relative error |g - d| / max(|g|, |d|) of all tensors. Norms are over the entries that were
/// checked.
struct GradientReport {
  double error = 0;   ///< the largest of all tensors; NaN fails
  std::string where;  ///< the tensor, its worst entry, and both values
  /// Whether the error is at most `tolerance`; not for NaN.
  [[nodiscard]] bool passed(double tolerance = 1e-6) const { return error <= tolerance; }
};

namespace detail {

inline constexpr double what_is_there = 0.5;

/// One tensor and its checks: steps along single entries and, for a large tensor, along a direction.
template <class B>
struct Probe {
  std::string name;
  Tensor<B> value;
  std::vector<double> origin;
  std::vector<std::size_t> entries;
  std::vector<double> direction;
  std::vector<double> slopes;  ///< from differences

  Probe(std::string label, Tensor<B> tensor, Index most, Rng const& rng)
      : name(std::move(label)), value(std::move(tensor)), origin(value.template values<double>()) {
    if (value.size() <= most) {
      for (std::size_t i = 0; i < origin.size(); ++i) entries.push_back(i);
      return;
    }
    for (Index i = 0; i < most; ++i)
      entries.push_back(rng.below(static_cast<std::uint32_t>(value.size()), static_cast<std::uint64_t>(i)));
    direction = draw(Kind::normal, value.shape(), rng.next());
    double square = 0;
    for (double u : direction) square += u * u;
    for (double& u : direction) u /= std::sqrt(square);
  }
  [[nodiscard]] std::size_t size() const { return entries.size() + (direction.empty() ? 0 : 1); }
  [[nodiscard]] double root_mean_square() const {
    double square = 0;
    for (double x : origin) square += x * x;
    double const result = std::sqrt(square / static_cast<double>(std::max<std::size_t>(1, origin.size())));
    return result > 0 ? result : 1;
  }
  /// Moves the tensor by `distance` along check `i`; 0 restores it.
  void move(std::size_t i, double distance) const {
    std::vector<double> moved = origin;
    if (i < entries.size()) {
      moved[entries[i]] += distance;
    } else {
      for (std::size_t j = 0; j < moved.size(); ++j) moved[j] += distance * direction[j];
    }
    value.assign(std::span<double const>(moved));
  }
  /// The slopes of the same checks from a gradient.
  [[nodiscard]] std::vector<double> ask(std::vector<double> const& gradient) const {
    std::vector<double> answers;
    for (std::size_t entry : entries) answers.push_back(gradient[entry]);
    if (!direction.empty()) {
      double slope = 0;
      for (std::size_t j = 0; j < gradient.size(); ++j) slope += gradient[j] * direction[j];
      answers.push_back(slope);
    }
    return answers;
  }
  [[nodiscard]] std::string describe(std::size_t i) const {
    return name + (i < entries.size() ? "[" + std::to_string(entries[i]) + "]" : ", random direction");
  }
};

/// A gradient check. Differences are computed once and can be compared with several tapes.
template <class B, class F, std::size_t N>
class GradientCheck {
 public:
  template <nn::Module... M>
  GradientCheck(typename B::Context& context, F f, std::array<Tensor<B>, N> const& inputs,
                GradientOptions const& options, M const&... modules)
      : context_(context), f_(f), options_(options) {
    static_assert(std::is_same_v<typename B::Scalar, double>,
                  "Gradients are checked in double: use a backend whose scalar is double.");
    (randomise(modules, options.seed), ...);
    std::uint32_t stream = 100;
    for (std::size_t i = 0; i < N; ++i) {
      inputs_[i] = inputs[i].clone();
      probes_.emplace_back("input " + std::to_string(i), inputs_[i], options.entries,
                           Rng{options.seed, stream++});
    }
    nn::ParameterList<B> list;
    (list.add(modules), ...);
    for (auto const& entry : list.parameters) {
      if (!entry.parameter.trainable()) continue;
      parameters_.push_back(entry.parameter);
      probes_.emplace_back(entry.name.name, entry.parameter.value(), options.entries,
                           Rng{options.seed, stream++});
    }
    std::vector<double> const y = outputs();
    if (sizeof...(M) > 0) unnamed_ = find_unnamed();
    projection_ = draw(Kind::normal, {static_cast<Index>(y.size())}, {options.seed, 99});
    for (Probe<B>& probe : probes_) differentiate(probe);
    for (auto const& entry : list.buffers) entry.buffer.discard();
  }

  /// Compares with a tape whose variables are passed through `wrap`.
  template <class Wrap>
  [[nodiscard]] GradientReport compare(Wrap wrap) const {
    return judge(taped_gradients(wrap));
  }

 private:
  [[nodiscard]] std::vector<double> outputs() const {
    Tape<B> tape{context_, {options_.mode, options_.rng}};
    auto const y = std::apply([&](auto const&... x) { return f_(tape.input(x)...); }, inputs_);
    return values_of(y);
  }
  /// A message about a trainable parameter that f uses but no module names; empty if there is none.
  [[nodiscard]] std::string find_unnamed() const {
    Tape<B> tape{context_, {options_.mode, options_.rng}};
    (void)std::apply([&](auto const&... x) { return f_(tape.input(x)...); }, inputs_);
    std::string found;
    tape.for_each_parameter([&](Parameter<B> const& met, bool) {
      for (Parameter<B> const& known : parameters_)
        if (known.same_as(met)) return;
      found = describe("check_gradients", "parameters that for_each_child of the modules names",
                       {"another of shape ", met.shape()}, "name it, or freeze it");
    });
    return found;
  }
  static std::vector<double> values_of(Taped<B> const& y) { return y.value().template values<double>(); }
  static std::vector<double> values_of(Tensor<B> const& y) { return y.template values<double>(); }

  /// (<r, f(x + h)> - <r, f(x - h)>) / 2h. The difference is taken first, so that unchanged outputs cancel
  /// exactly.
  [[nodiscard]] double difference(Probe<B> const& probe, std::size_t i, double h) const {
    probe.move(i, h);
    std::vector<double> const above = outputs();
    probe.move(i, -h);
    std::vector<double> const below = outputs();
    probe.move(i, 0);
    double sum = 0;
    for (std::size_t j = 0; j < above.size(); ++j) sum += projection_[j] * (above[j] - below[j]);
    return sum / (2 * h);
  }
  /// A fourth-order estimate from two steps. If they differ, there may be a kink between them (ReLU, |x|), so
  /// the steps become smaller until they agree.
  void differentiate(Probe<B>& probe) const {
    double const step = options_.step * probe.root_mean_square();
    std::vector<double> apart(probe.size());
    auto const estimate = [&](std::size_t i, double h) {
      double const near = difference(probe, i, h), far = difference(probe, i, 2 * h);
      apart[i] = std::abs(near - far);
      return (4 * near - far) / 3;
    };
    double square = 0;
    for (std::size_t i = 0; i < probe.size(); ++i) {
      probe.slopes.push_back(estimate(i, step));
      square += probe.slopes[i] * probe.slopes[i];
    }
    double const scale = std::sqrt(square / static_cast<double>(std::max<std::size_t>(1, probe.size())));
    for (std::size_t i = 0; i < probe.size(); ++i) {
      for (double h = step / 4; apart[i] > 1e-7 * scale && h > step / 100; h /= 4)
        probe.slopes[i] = estimate(i, h);
    }
  }

  template <class Wrap>
  [[nodiscard]] std::vector<std::vector<double>> taped_gradients(Wrap wrap) const {
    Tape<B> tape{context_, {options_.mode, options_.rng}};
    std::vector<Taped<B>> variables;
    // Gradients must be added to what is there.
    for (Tensor<B> const& input : inputs_) {
      variables.push_back(tape.variable(input));
      variables.back().node()->gradient().fill(what_is_there);
    }
    for (Parameter<B> const& parameter : parameters_) parameter.gradient().fill(what_is_there);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      play(tape, f_(wrap(variables[I])...));
    }(std::make_index_sequence<N>{});
    std::vector<std::vector<double>> gradients;
    auto const take = [&](Tensor<B> const& gradient) {
      gradients.push_back(gradient.template values<double>());
      for (double& value : gradients.back()) value -= what_is_there;
    };
    for (Taped<B> const& variable : variables) take(variable.gradient());
    for (Parameter<B> const& parameter : parameters_) {
      take(parameter.gradient());
      parameter.gradient().fill(0);
    }
    return gradients;
  }
  void play(Tape<B>& tape, Taped<B> const& y) const {
    tape.backward(y, Tensor<B>::from(context_, y.shape(), std::span<double const>(projection_)));
  }
  void play(Tape<B>&, Tensor<B> const&) const {}  // an operation on constants only

  [[nodiscard]] GradientReport judge(std::vector<std::vector<double>> const& gradients) const {
    std::vector<std::vector<double>> answers;
    double largest = 0;
    for (std::size_t p = 0; p < probes_.size(); ++p) {
      answers.push_back(probes_[p].ask(gradients[p]));
      largest = std::max({largest, norm(answers[p]), norm(probes_[p].slopes)});
    }
    if (!unnamed_.empty()) return {std::numeric_limits<double>::infinity(), unnamed_};
    GradientReport report;
    for (std::size_t p = 0; p < probes_.size(); ++p) {
      std::vector<double> const& slopes = probes_[p].slopes;
      double square = 0, worst = -1;
      std::size_t at = 0;
      for (std::size_t i = 0; i < slopes.size(); ++i) {
        double const distance = std::abs(answers[p][i] - slopes[i]);
        square += distance * distance;
        if (!(distance <= worst)) worst = distance, at = i;
      }
      double const size = std::max({norm(answers[p]), norm(slopes), options_.floor * largest, 1e-12});
      double error = std::sqrt(square) / size;
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
      if (slopes.empty() || error < report.error) continue;
      report.error = error;
      report.where = probes_[p].describe(at) + ": " + digits(answers[p][at]) + " on the tape, " +
                     digits(slopes[at]) + " by differences";
    }
    return report;
  }
  /// Enough digits to show an error of 1e-9, however large or small the gradient is.
  static std::string digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", value);
    return text;
  }
  static double norm(std::vector<double> const& values) {
    double square = 0;
    for (double x : values) square += x * x;
    return std::sqrt(square);
  }

  typename B::Context& context_;
  F f_;
  GradientOptions options_;
  std::array<Tensor<B>, N> inputs_;
  std::vector<Parameter<B>> parameters_;
  std::vector<Probe<B>> probes_;
  std::vector<double> projection_;
  std::string unnamed_;
};

/// Restores the weights of modules after they were randomised.
template <class B>
class KeptWeights {
 public:
  template <nn::Module... M>
  explicit KeptWeights(M const&... modules) {
    nn::ParameterList<B> list;
    (list.add(modules), ...);
    for (auto const& entry : list.parameters)
      kept_.emplace_back(entry.parameter.value(), entry.parameter.value().clone());
  }
  KeptWeights(KeptWeights const&) = delete;
  KeptWeights& operator=(KeptWeights const&) = delete;
  ~KeptWeights() {
    for (auto const& [value, copy] : kept_) value.assign(copy);
  }

 private:
  std::vector<std::pair<Tensor<B>, Tensor<B>>> kept_;
};

}  // namespace detail

/// Checks the gradients of f(inputs...), a value of any shape, for all inputs and all trainable parameters of
/// `modules`, on one backend:
///   check_gradients<Cpu<double>>(context, [&](auto const& x) { return encoder(x); }, {x}, {}, encoder)
/// Inputs and weights are restored, and gradients of parameters are set to zero. It also fails if f uses a
/// trainable parameter that no module names (a layer that for_each_child forgot). Without modules only inputs
/// are checked. For a new operation or module use both_backends.hpp, which checks on two backends.
template <class B, std::size_t N, class F, nn::Module... M>
[[nodiscard]] GradientReport check_gradients(typename B::Context& context, F f, Tensor<B> const (&inputs)[N],
                                             GradientOptions const& options = {}, M const&... modules) {
  return check_gradients<B>(context, f, detail::to_array(inputs), options, modules...);
}
template <class B, std::size_t N, class F, nn::Module... M>
[[nodiscard]] GradientReport check_gradients(typename B::Context& context, F f,
                                             std::array<Tensor<B>, N> const& inputs,
                                             GradientOptions const& options = {}, M const&... modules) {
  detail::KeptWeights<B> const kept{modules...};
  return detail::GradientCheck<B, F, N>{context, f, inputs, options, modules...}.compare(
      [](Taped<B> const& x) { return x; });
}

}  // namespace diffsiam::testing
