// What cases share: a module whose inputs, output and gradients are all in the file, and gradients by name.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <tests/golden/file.hpp>
#include <tests/golden/report.hpp>

#include <diffsiam/value/taped.hpp>

namespace diffsiam::golden {

template <class B>
[[nodiscard]] Values published_gradient(Parameter<B> const& parameter) {
  return io::to_published(parameter.published_layout(), parameter.shape(),
                          parameter.gradient().template values<double>());
}
template <class B>
[[nodiscard]] Values published_weight(Parameter<B> const& parameter) {
  return io::to_published(parameter.published_layout(), parameter.shape(),
                          parameter.value().template values<double>());
}

/// Every gradient of `list` beside `prefix` + its name in the file; all its entries are there.
template <class B>
[[nodiscard]] std::vector<KnownGradient> known_gradients(File const& file, nn::ParameterList<B> const& list,
                                                         std::string const& prefix) {
  std::vector<KnownGradient> result;
  for (auto const& [path, parameter] : list.parameters) {
    std::string const name = prefix + path.published;
    result.push_back({name, published_gradient(parameter), file.values(name)});
  }
  return result;
}
/// The same where the file has probes of them.
template <class B>
[[nodiscard]] std::vector<ProbedGradient> probed_gradients(File const& file, nn::ParameterList<B> const& list,
                                                           std::string const& prefix) {
  std::vector<ProbedGradient> result;
  for (auto const& [path, parameter] : list.parameters) {
    std::string const name = prefix + path.published;
    result.push_back({name, published_gradient(parameter), published_weight(parameter), file.values(name)});
  }
  return result;
}

template <class B>
void compare_output(File const& file, Report& report, std::string const& name, Tensor<B> const& actual) {
  require_shape(name, file.shape(name), actual.shape());
  report.output(name, published_values(actual), file.values(name));
}

/// `call(x...)` of inputs "input.<name>" beside "output", and its gradients for "grad_output" beside
/// "grad_input.<name>" (where the file has them) and "grad.<parameter>".
template <class B, nn::Module M, class Call, class... Name>
void compare_module(typename B::Context& context, File const& file, Report& report, M const& module,
                    Call const& call, Name const&... inputs) {
  file.load(module, "param.", {"cond_layers"});  // an alias of another weight
  Tape<B> tape{context, {.mode = Mode::evaluation}};
  std::vector<std::string> const names{inputs...};
  std::vector<Taped<B>> x;
  for (std::string const& name : names) x.push_back(tape.variable(file.tensor<B>(context, "input." + name)));
  Taped<B> const y = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return call(x[I]...);
  }(std::index_sequence_for<Name...>{});
  compare_output(file, report, "output", y.value());

  tape.backward(y, file.tensor<B>(context, "grad_output"));
  std::vector<KnownGradient> gradients = known_gradients(file, nn::parameters(module), "grad.");
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string const name = "grad_input." + names[i];
    if (file.contains(name))
      gradients.push_back({name, published_values(x[i].gradient()), file.values(name)});
  }
  report.gradients(gradients);
}

}  // namespace diffsiam::golden
