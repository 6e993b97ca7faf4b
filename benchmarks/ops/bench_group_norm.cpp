// GroupNorm with modulation and SiLU, forward and backward: the backend's own against the operation composed
// of sums and element-wise passes. Rates are bytes that must move: the image read and the result written,
// once.

#include <benchmark/benchmark.h>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/ops/group_norm.hpp>
#include <diffsiam/value/taped.hpp>

namespace {

namespace ds = diffsiam;
using Fused = ds::backend::Cpu<float>;

/// The same backend, its own GroupNorm hidden.
struct Composed : Fused {
  template <class Act>
  static void group_norm(Context&, ds::NormGeometry const&, ds::NormForward<float> const&) = delete;
};

template <class B>
void group_norm(benchmark::State& state) {
  typename B::Context context{{.threads = 2}};
  ds::Index const n = state.range(0), side = state.range(1), c = state.range(2);
  auto const x = ds::Tensor<B>::filled(context, {n, side, side, c}, 0.5F);
  B::normal(context, {.seed = 1}, x.data(), x.size());
  auto const gamma = ds::Tensor<B>::filled(context, {c}, 1), beta = ds::Tensor<B>::zeros(context, {c});
  auto const modulation = ds::Tensor<B>::filled(context, {n, 2 * c}, 0.1F);
  bool const backward = state.range(3) != 0;
  for (auto _ : state) {
    ds::Tape<B> tape{context};
    auto const y = ds::ops::modulated_group_norm<ds::functional::Silu>(
        tape.variable(x), tape.variable(gamma), tape.variable(beta), tape.variable(modulation), 32);
    if (backward) tape.backward(y, x);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * x.size() *
                          static_cast<std::int64_t>(sizeof(float)) * (backward ? 6 : 2));
}

void sizes(benchmark::internal::Benchmark* each) {
  each->ArgNames({"n", "side", "channels", "backward"});
  for (int backward : {0, 1})
    for (auto const& [n, side, c] : {std::array{64, 28, 32}, std::array{64, 14, 64}, std::array{8, 64, 64}})
      each->Args({n, side, c, backward});
  each->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(group_norm<Fused>)->Apply(sizes);
BENCHMARK(group_norm<Composed>)->Apply(sizes);

}  // namespace
