// What every case must do in every reading: plain, taped, partly taped, and dry.
#pragma once

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/testing/case.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

/// Passed to a table of cases. Readings are compared in inference, where plain values always are.
/// `Mixed`: the case takes a taped value beside plain ones.
template <bool Mixed = true>
struct CheckReadings {
  using B = backend::Cpu<float>;
  using Dry = backend::DryRun<B>;

  template <class Case>
  void operator()(Case const& tested) const {
    constexpr std::size_t variables = std::tuple_size_v<decltype(tested.variables)>;
    INFO(tested.name);
    B::Context context{{.threads = 2}};
    auto const model = tested.template model<B>(context);
    testing::randomise(model, 3);
    auto const fixed = tested.template constant_tensors<B>(context);
    auto const inputs = tested.template variable_tensors<B>(context);
    auto const f = tested.function(model, fixed);
    Tensor<B> const plain = std::apply(f, inputs);
    std::vector<float> const expected = plain.values();

    SECTION(tested.name + ": the dry run knows the shape") {
      Dry::Context dry_context;
      auto const dry_fixed = tested.template constant_tensors<Dry>(dry_context);
      auto const dry_inputs = tested.template variable_tensors<Dry>(dry_context);
      auto const dry_f = tested.function(model, dry_fixed);
      CHECK(std::apply(dry_f, dry_inputs).shape() == plain.shape());
    }
    if constexpr (variables > 0) {
      SECTION(tested.name + ": taped values are the plain ones") {
        taped(context, f, inputs, expected);
      }
      SECTION(tested.name + ": one taped value among plain ones is enough") {
        for (std::size_t i = 0; i < variables; ++i) alone(context, f, inputs, expected, i);
      }
      SECTION(tested.name + ": a dry run goes back, too") {
        dry_backward(tested, model);
      }
    }
  }

 private:
  template <class F, std::size_t N>
  static void taped(B::Context& context, F const& f, std::array<Tensor<B>, N> const& inputs,
                    std::vector<float> const& expected) {
    std::size_t const before = context.memory().live_bytes();
    {
      Tape<B> tape{context, {.mode = Mode::evaluation}};
      auto const y = std::apply([&](auto const&... x) { return f(tape.variable(x)...); }, inputs);
      CHECK(y.value().values() == expected);
      tape.backward(y, Tensor<B>::filled(context, y.shape(), 1));
    }
    // Gradients of parameters stay, once.
    std::size_t const once = context.memory().live_bytes();
    {
      Tape<B> tape{context, {.mode = Mode::evaluation}};
      auto const y = std::apply([&](auto const&... x) { return f(tape.input(x)...); }, inputs);
      CHECK(y.value().values() == expected);
    }
    CHECK(context.memory().live_bytes() == once);
    CHECK(once >= before);
  }

  /// The gradient of input i when all inputs are variables, and when it is the only one.
  template <class F, std::size_t N>
  static void alone(B::Context& context, F const& f, std::array<Tensor<B>, N> const& inputs,
                    std::vector<float> const& expected, std::size_t i) {
    std::vector<float> gradients[2];
    for (bool only : {false, true}) {
      Tape<B> tape{context, {.mode = Mode::evaluation}};
      std::vector<Taped<B>> values;
      for (std::size_t j = 0; j < N; ++j)
        values.push_back(only && j != i ? tape.input(inputs[j]) : tape.variable(inputs[j]));
      auto const y = [&]<std::size_t... J>(std::index_sequence<J...>) {
        return f(values[J]...);
      }(std::make_index_sequence<N>{});
      CHECK(y.value().values() == expected);
      tape.backward(y, Tensor<B>::filled(context, y.shape(), 0.5F));
      gradients[only] = values[i].gradient().values();
    }
    CHECK(gradients[0] == gradients[1]);
    if constexpr (Mixed) {
      if (i == 0) first_alone(context, f, inputs, expected, gradients[0]);
    }
  }

  template <class F, std::size_t N>
  static void first_alone(B::Context& context, F const& f, std::array<Tensor<B>, N> const& inputs,
                          std::vector<float> const& expected, std::vector<float> const& gradient) {
    // The first argument taped, the others plain tensors.
    Tape<B> tape{context, {.mode = Mode::evaluation}};
    Taped<B> const first = tape.variable(inputs[0]);
    auto const y = [&]<std::size_t... J>(std::index_sequence<J...>) {
      return f(first, inputs[J + 1]...);
    }(std::make_index_sequence<N - 1>{});
    CHECK(y.value().values() == expected);
    tape.backward(y, Tensor<B>::filled(context, y.shape(), 0.5F));
    CHECK(first.gradient().values() == gradient);
  }

  template <class Case, class Model>
  static void dry_backward(Case const& tested, Model const& model) {
    Dry::Context context;
    auto const fixed = tested.template constant_tensors<Dry>(context);
    auto const inputs = tested.template variable_tensors<Dry>(context);
    auto const f = tested.function(model, fixed);
    std::size_t const before = context.memory().live_bytes();
    {
      Tape<Dry> tape{context, {.mode = Mode::evaluation}};
      auto const y = std::apply([&](auto const&... x) { return f(tape.variable(x)...); }, inputs);
      double const forward = context.flops();
      tape.backward(y, Tensor<Dry>{context, y.shape()});
      CHECK(context.flops() >= forward);
    }
    CHECK(context.memory().live_bytes() == before);
  }
};

}  // namespace diffsiam::test
