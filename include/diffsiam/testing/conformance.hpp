// The conformance suite: compares any backend with Reference<double> on the same numbers. The test of a new
// backend only needs to call run_conformance<B>(context).
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <diffsiam/concepts/declared_options.hpp>
#include <diffsiam/testing/cases/mixed_precision.hpp>
#include <diffsiam/testing/cases/operations.hpp>
#include <diffsiam/testing/primitives.hpp>
#include <diffsiam/testing/walks.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::testing {

/// Passes if and only if B has exactly the options that it declares, so that a function that is not found is
/// noticed here and not in a profile. `where` lists the options.
template <class B>
[[nodiscard]] Comparison check_options() {
  std::string declared, found;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    auto const list = [](bool present, std::string_view name, std::string& names) {
      if (present) names.append(" ").append(name);
    };
    (list(B::Brings::contains(backend::Option{I}), backend::name_of(backend::Option{I}), declared), ...);
    (list(backend::has<B>(backend::Option{I}), backend::name_of(backend::Option{I}), found), ...);
  }(std::make_index_sequence<backend::option_count>{});
  return {"options of the backend", declared == found ? 0.0 : 1.0, 0,
          "it declares" + declared + "; it has" + found};
}

namespace detail {

/// Runs a case on one backend. Returns its output, and the gradients of its variables and of the parameters
/// of its model. The gradient of the output depends only on its shape.
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

/// Compares the output and the gradients of a case on B with those of the specification.
template <class B, class Case>
void check_case(Bench<B>& bench, Case const& tested, double tolerance = tolerance_of<B>) {
  Specification::Context reference{{.threads = 1}};
  auto const ours = detail::play_case<B>(bench.context(), tested, Mode::training);
  auto const expected = detail::play_case<Specification>(reference, tested, Mode::training);
  double scale = 0;  // of gradients: one that is 0 in exact arithmetic has no scale of its own
  for (std::size_t i = 1; i < expected.size(); ++i)
    scale = std::max(scale, largest_finite(expected[i].second));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    auto const& [name, values] = expected[i];
    auto comparison =
        compare(tested.name + ", " + name, ours[i].second, values, tolerance, i > 0 ? scale : 0);
    if (i > 0 && i <= tested.variables.size() && !values.empty() && largest_finite(values) == 0) {
      comparison.error = std::numeric_limits<double>::infinity();
      comparison.where = "no gradient comes this far, so that the case tests nothing";
    }
    bench.comparisons().push_back(std::move(comparison));
  }
}

/// Runs all checks: options, primitives, and every operation with its gradients; with tensors in low
/// precision, too, if B has mixed precision.
template <class B>
[[nodiscard]] std::vector<Comparison> run_conformance(typename B::Context& context) {
  Bench<B> bench{context};
  bench.comparisons().push_back(check_options<B>());
  check_primitives(bench);
  check_walks(bench);
  cases::operations([&](auto const& tested) { check_case(bench, tested); });
  if constexpr (backend::MixedPrecision<B>)
    cases::mixed_precision([&](auto const& tested) { check_case(bench, tested); });
  return bench.comparisons();
}

}  // namespace diffsiam::testing
