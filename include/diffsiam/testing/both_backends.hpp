// Checks the gradients of your own operation or module on two backends. Reference does exactly what the
// operation says; Cpu vectorises it and divides it into pieces. A mistake may be visible on only one of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/testing/comparison.hpp>
#include <diffsiam/testing/gradient_check.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::testing {

namespace detail {

/// A case on one backend in double: its gradients, and its output for random weights.
template <class B>
struct CheckedCase {
  GradientReport report;
  std::vector<double> output;

  template <class Case>
  CheckedCase(Case const& tested, GradientOptions const& options) {
    typename B::Context context{{.threads = 2}};
    auto const model = tested.template model<B>(context);
    auto const fixed = tested.template constant_tensors<B>(context);
    auto const f = tested.function(model, fixed);
    auto const variables = tested.template variable_tensors<B>(context);
    report = check_gradients<B>(context, f, variables, options, model);
    randomise(model, options.seed);
    output = std::apply(f, variables).template values<double>();
  }
};

}  // namespace detail

/// Checks the gradients of a case on Reference<double> and on Cpu<double>, and compares their outputs:
///   check_gradients(op_case("swish", {{3, 4}}, [](auto const& x) { return swish(x); })).passed()
///   check_gradients(module_case("Mine", {{3, 4}}, []<class B>(auto& c) { return Mine<B>{c, {}}; })).passed()
/// Returns the worse of the two reports, which says where the error is. The same case can be in a table of
/// testing/cases/.
template <class Case>
[[nodiscard]] GradientReport check_gradients(Case const& tested, GradientOptions const& options = {}) {
  detail::CheckedCase<backend::Reference<double>> const reference{tested, options};
  detail::CheckedCase<backend::Cpu<double>> const cpu{tested, options};
  Comparison const outputs = compare("output", cpu.output, reference.output, 1e-9);
  bool const cpu_is_worse = cpu.report.error > reference.report.error;
  GradientReport report = cpu_is_worse ? cpu.report : reference.report;
  report.where.insert(0, cpu_is_worse ? "on Cpu, " : "on Reference, ");
  if (outputs.error > report.error) return {outputs.error, "output on Cpu, " + outputs.where};
  return report;
}

}  // namespace diffsiam::testing
