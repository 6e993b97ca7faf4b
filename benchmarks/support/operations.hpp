// How fast an operation is, forward and backward, at the sizes of both configurations: a bench_<name>.cpp is
// a table of cases, as testing/case.hpp has them. Each line says GFLOP/s and GB/s, and in `of_limit` what
// part that is of the machine's own limit (limits.hpp), whichever of the two is nearer; above 1 where
// operands stay in caches. Bytes are those that must move, in float32: forward the operands and the result,
// backward the operands, the gradient of the result and those of the variables. FLOPs are counted by a dry
// run.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <tuple>
#include <utility>

#include <benchmark/benchmark.h>

#include <diffsiam/testing/case.hpp>
#include <diffsiam/value/traced.hpp>

#ifdef DIFFSIAM_WITH_CUDA
#include <diffsiam/backend/cuda.cuh>
#else
#include <diffsiam/backend/reference.hpp>
#ifdef DIFFSIAM_WITH_ONEDNN
#include <diffsiam/backend/onednn.hpp>
#endif

#include "limits.hpp"
#endif

namespace diffsiam::ops {}  // namespace diffsiam::ops

namespace bench {

namespace ds = diffsiam;
namespace ops = diffsiam::ops;
using ds::Index;
using ds::testing::constant_case;
using ds::testing::Kind;
using ds::testing::op_case;

inline constexpr int threads = 2;

/// What one call must compute and move.
struct Work {
  double flops = 0, bytes = 0;
};

/// Whether anything flows back.
template <class Case>
inline constexpr bool has_variables = std::tuple_size_v<decltype(Case::variables)> > 0;

/// A case evaluated on a tape.
template <class B, class Case, class Model, class Fixed, class X>
[[nodiscard]] auto taped(ds::Tape<B>& tape, Case const& tested, Model const& model, Fixed const& fixed,
                         X const& x) {
  return std::apply([&](auto const&... v) { return tested.function(model, fixed)(tape.variable(v)...); }, x);
}

/// Forward and backward work of a case, backend by backend: a fused operation counts what its own rules say.
template <class B, class Case>
[[nodiscard]] std::pair<Work, Work> work_of(Case const& tested) {
  Work forward, backward;
  for (bool const plays_back : {false, true}) {
    auto const cost = ds::estimate([&](auto& context) {
      using Dry = ds::backend::DryRun<B>;
      auto const model = tested.template model<Dry>(context);
      auto const fixed = tested.template constant_tensors<Dry>(context);
      auto const x = tested.template variable_tensors<Dry>(context);
      ds::Tape<Dry> tape{context};
      auto const y = taped(tape, tested, model, fixed, x);
      double operands = 0, gradients = 0;
      for (auto const& v : x) gradients += static_cast<double>(v.size());
      for (auto const& c : fixed) operands += static_cast<double>(c.size());
      double const result = static_cast<double>(y.shape().size());
      forward.bytes = sizeof(float) * (operands + gradients + result);
      backward.bytes = sizeof(float) * (operands + 2 * gradients + result);
      if constexpr (has_variables<Case>)
        if (plays_back) tape.backward(y, ds::Tensor<Dry>::zeros(context, y.shape()));
    });
    (plays_back ? backward : forward).flops = cost.flops;
  }
  backward.flops -= forward.flops;
  return {forward, backward};
}

/// The seconds that work takes at least; 0 where the limits are not measured, on a device.
[[nodiscard]] inline double least_seconds_of([[maybe_unused]] Work const& work) {
#ifdef DIFFSIAM_WITH_CUDA
  return 0;
#else
  struct Limits {
    ds::ThreadPool pool{threads};
    double flops = peak_flops<float>(pool), bytes = copy_bytes(pool);
  };
  static Limits const limits;
  return std::max(work.flops / limits.flops, work.bytes / limits.bytes);
#endif
}

inline void say(benchmark::State& state, Work const& work, double seconds) {
  auto const rate = [&](char const* name, double amount) {
    if (amount > 0) state.counters[name] = amount * static_cast<double>(state.iterations()) / seconds;
  };
  rate("GFLOP/s", work.flops / 1e9);
  rate("GB/s", work.bytes / 1e9);
  rate("of_limit", least_seconds_of(work));
}

/// Operands of a case on a backend.
template <class B, class Case>
struct Bench {
  using Clock = std::chrono::steady_clock;

  Case const& tested;
  typename B::Context context = make_context();
  decltype(tested.template model<B>(context)) model = tested.template model<B>(context);
  decltype(tested.template constant_tensors<B>(context)) fixed = tested.template constant_tensors<B>(context);
  decltype(tested.template variable_tensors<B>(context)) x = tested.template variable_tensors<B>(context);
  double seconds = 0;

  static typename B::Context make_context() {
    using Options = typename B::Context::Options;
    if constexpr (requires(Options o) { o.threads; })
      return typename B::Context{Options{.threads = threads}};
    else
      return {};
  }
  [[nodiscard]] Clock::time_point now() {
    if constexpr (requires { context.synchronise(); }) context.synchronise();
    return Clock::now();
  }
  /// Counts the time since `start` for this iteration.
  void done(benchmark::State& state, Clock::time_point start) {
    double const taken = std::chrono::duration<double>(now() - start).count();
    seconds += taken;
    state.SetIterationTime(taken);
  }

  /// Plain, as in inference.
  void forward(benchmark::State& state) {
    for (auto _ : state) {
      auto const start = now();
      auto const y = std::apply(tested.function(model, fixed), x);
      done(state, start);
    }
  }
  /// The backward pass alone; what is taped before it is not timed.
  void backward(benchmark::State& state) {
    ds::Tensor<B> gradient;
    for (auto _ : state) {
      ds::Tape<B> tape{context};
      auto const y = taped(tape, tested, model, fixed, x);
      if (!gradient.data()) gradient = ds::Tensor<B>::filled(context, y.shape(), 1);
      auto const start = now();
      tape.backward(y, gradient);
      done(state, start);
    }
  }
};

template <class B, class Case>
void measure_on(std::string const& operation, Case const& tested, std::string const& backend,
                double most_flops) {
  auto const [forward, backward] = work_of<B>(tested);
  if (forward.flops > most_flops) return;
  auto const add = [&](char const* direction, Work const& work, auto run) {
    std::string const name = operation + "/" + tested.name + "/" + direction + "/" + backend;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [=](benchmark::State& state) {
                                   Bench<B, Case> bench{tested};
                                   run(bench, state);
                                   say(state, work, bench.seconds);
                                 })
        ->Unit(benchmark::kMicrosecond)
        ->UseManualTime();
  };
  add("forward", forward, [](auto& bench, benchmark::State& state) { bench.forward(state); });
  if constexpr (has_variables<Case>)
    add("backward", backward, [](auto& bench, benchmark::State& state) { bench.backward(state); });
}

/// What a line of a table is called, and its shape (n, h, w, c).
struct FeatureMap {
  std::string name;
  ds::Shape shape;
};
/// Images of features as they stand in the networks of both configurations, large and small.
[[nodiscard]] inline std::array<FeatureMap, 4> feature_maps() {
  return {{{"fashion 28x28x32", {64, 28, 28, 32}},
           {"fashion 7x7x64", {64, 7, 7, 64}},
           {"celeba64 64x64x64", {8, 64, 64, 64}},
           {"celeba64 8x8x512", {8, 8, 8, 512}}}};
}

/// Measures the cases on Cpu and Cuda, whichever the program is built for, and on Reference where it takes no
/// more than 0.1 s. To be called before main: [[maybe_unused]] bool const registered =
/// bench::measure("select", case...);
template <class... Case>
bool measure(std::string const& operation, Case const&... tested) {
  constexpr double no_limit = 1e300;
  auto const on = [&]<class B>(char const* backend, double most_flops) {
    (measure_on<B>(operation, tested, backend, most_flops), ...);
  };
#ifdef DIFFSIAM_WITH_CUDA
  on.template operator()<ds::backend::Cuda<ds::backend::cuda::TF32>>("cuda.tf32", no_limit);
  on.template operator()<ds::backend::Cuda<ds::BFloat16>>("cuda.bf16", no_limit);
#else
  on.template operator()<ds::backend::Cpu<float>>("cpu", no_limit);
  on.template operator()<ds::backend::Reference<float>>("reference", 2e7);
#endif
  return true;
}
/// Of operations that oneDNN has kernels for: on OneDnn, too, where the build has it.
template <class... Case>
bool measure_products(std::string const& operation, Case const&... tested) {
#if defined(DIFFSIAM_WITH_ONEDNN) && !defined(DIFFSIAM_WITH_CUDA)
  (measure_on<ds::backend::OneDnn<float>>(operation, tested, "onednn", 1e300), ...);
#endif
  return measure(operation, tested...);
}

/// The same of f at all feature maps; f takes one image.
template <class F>
bool measure_images(std::string const& operation, F f) {
  for (FeatureMap const& map : feature_maps()) measure(operation, op_case(map.name, {map.shape}, f));
  return true;
}
/// f takes two images of one shape.
template <class F>
bool measure_pairs(std::string const& operation, F f) {
  for (FeatureMap const& map : feature_maps())
    measure(operation, op_case(map.name, {map.shape, map.shape}, f));
  return true;
}

}  // namespace bench
