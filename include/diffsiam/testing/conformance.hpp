// The conformance suite: any backend against Reference<double> on the same numbers. A new backend calls
// run_conformance<B>(context, {...}) and is done.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <diffsiam/functional/activation.hpp>
#include <diffsiam/testing/cases/compact.hpp>
#include <diffsiam/testing/cases/operations.hpp>
#include <diffsiam/testing/primitives.hpp>
#include <diffsiam/testing/walks.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::testing {

/// What a backend is expected to bring itself beyond the six groups: names, in the order of `brings`.
struct Expectations {
  std::vector<std::string> optional{};
};

/// The optional functions that B has.
template <class B>
[[nodiscard]] std::vector<std::string> brings() {
  std::vector<std::string> names;
  auto const note = [&](bool has, char const* name) {
    if (has) names.emplace_back(name);
  };
  note(requires(ConvGeometry const& g) { B::conv2d_workspace(g, 1); }, "conv2d_workspace");
  note(
      requires(ConvGeometry const& g) { B::conv2d_gradient_input_workspace(g, 1); },
      "conv2d_gradient_input_workspace");
  note(
      requires(ConvGeometry const& g) { B::conv2d_gradient_weight_workspace(g, 1); },
      "conv2d_gradient_weight_workspace");
  note(backend::FusedGroupNorm<B, functional::Silu>, "group_norm");
  return names;
}

/// Passes if and only if B brings exactly what is expected: a function that is lost is found here, not in a
/// profile.
template <class B>
[[nodiscard]] Verdict check_optional(Expectations const& expected) {
  auto const join = [](std::vector<std::string> const& names) {
    std::string text;
    for (auto const& name : names) text += (text.empty() ? "" : " ") + name;
    return text.empty() ? std::string("nothing") : text;
  };
  std::vector<std::string> const actual = brings<B>();
  Verdict verdict{"optional functions", actual == expected.optional ? 0.0 : 1.0, 0, ""};
  verdict.where = "expected " + join(expected.optional) + ", got " + join(actual);
  return verdict;
}

namespace detail {

/// A case on one backend: its output, then the gradients of its variables and of its model's parameters, from
/// a gradient of the output that depends on its shape alone.
template <class B, class Case>
[[nodiscard]] std::vector<std::pair<std::string, std::vector<double>>> play_case(typename B::Context& context,
                                                                                 Case const& tested,
                                                                                 Mode mode) {
  auto const model = tested.template model<B>(context);
  randomise(model, 3);
  auto const fixed = tested.template constant_tensors<B>(context);
  auto const inputs = tested.template variable_tensors<B>(context);
  auto const f = tested.function(model, fixed);
  Tape<B> tape{context, {.mode = mode, .rng = {.seed = 23}}};
  std::vector<Taped<B>> variables;
  for (Tensor<B> const& input : inputs) variables.push_back(tape.variable(input));
  std::vector<std::pair<std::string, std::vector<double>>> result;
  auto const play = [&](auto const& y) {
    if constexpr (requires { y.node(); }) {
      result.emplace_back("output", y.value().template values<double>());
      std::vector<double> const dy = draw(Kind::normal, y.shape(), {.seed = 29});
      tape.backward(y, Tensor<B>::from(context, y.shape(), std::span<double const>(dy)));
    } else {
      result.emplace_back("output", y.template values<double>());
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    play(f(variables[I]...));
  }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(inputs)>>>{});
  for (std::size_t i = 0; i < variables.size(); ++i) {
    Tensor<B> const gradient = variables[i].gradient();
    result.emplace_back("gradient " + std::to_string(i),
                        gradient ? gradient.template values<double>() : std::vector<double>{});
  }
  nn::ParameterList<B> list;
  list.add(model);
  for (auto const& entry : list.parameters)
    result.emplace_back("gradient of " + entry.name.name,
                        entry.parameter.gradient().template values<double>());
  return result;
}

}  // namespace detail

/// Output and gradients of a case, on B and on the specification.
template <class B, class Case>
void check_case(Bench<B>& bench, Case const& tested, double tolerance = tolerance_of<B>) {
  Specification::Context reference{{.threads = 1}};
  auto const ours = detail::play_case<B>(bench.context(), tested, Mode::training);
  auto const expected = detail::play_case<Specification>(reference, tested, Mode::training);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    bench.verdicts().push_back(
        compare(tested.name + ", " + expected[i].first, ours[i].second, expected[i].second, tolerance));
  }
}

/// Everything: optional functions, primitives, and every operation with its gradients, on compact tensors too
/// where B has them.
template <class B>
[[nodiscard]] std::vector<Verdict> run_conformance(typename B::Context& context,
                                                   Expectations const& expected) {
  Bench<B> bench{context};
  bench.verdicts().push_back(check_optional<B>(expected));
  check_primitives(bench);
  check_walks(bench);
  cases::operations([&](auto const& tested) { check_case(bench, tested); });
  if constexpr (backend::Compacting<B>)
    cases::compact([&](auto const& tested) { check_case(bench, tested); });
  return bench.verdicts();
}

}  // namespace diffsiam::testing
