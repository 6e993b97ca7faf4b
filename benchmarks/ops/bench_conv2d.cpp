// Convolutions of the sizes that the networks use: the operation on every backend, and the algorithms of Cpu
// against each other, forward and both gradients: direct sums, Winograd's in float32, and the same with
// bfloat16 operands. Rates count a direct convolution's FLOPs.
#include <vector>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/ops/conv2d.hpp>

#include "../support/operations.hpp"

namespace {

namespace cpu = diffsiam::backend::cpu;
using diffsiam::BFloat16;
using diffsiam::ConvGeometry;
using diffsiam::Index;
using B = diffsiam::backend::Cpu<float>;

/// Images, weights and gradients of one convolution.
struct Problem {
  ConvGeometry g;
  B::Context context{{.threads = 2}};
  std::vector<float> x, w, y;
  float const* no_bias = nullptr;

  explicit Problem(ConvGeometry const& geometry)
      : g(geometry),
        x(drawn(g.n * g.h * g.w * g.in, 1)),
        w(drawn(g.out * g.depth(), 2)),
        y(drawn(g.n * g.out_h() * g.out_w() * g.out, 3)) {}

  std::vector<float> drawn(Index size, std::uint64_t seed) {
    std::vector<float> values(static_cast<std::size_t>(size));
    B::normal(context, {.seed = seed}, values.data(), size);
    return values;
  }
};

struct Direct {
  static void forward(Problem& p) {
    cpu::conv2d<float>(p.context, p.g, p.x.data(), p.w.data(), p.no_bias, p.y.data());
  }
  static void gradient_input(Problem& p) {
    cpu::conv2d_gradient_input<float>(p.context, p.g, p.y.data(), p.w.data(), p.x.data());
  }
  static void gradient_weight(Problem& p) {
    cpu::conv2d_gradient_weight<float>(p.context, p.g, p.x.data(), p.y.data(), p.w.data());
  }
};
template <class Operands>
struct Winograd {
  static void forward(Problem& p) {
    cpu::winograd::conv2d<Operands, float>(p.context, p.g, p.x.data(), p.w.data(), p.no_bias, p.y.data());
  }
  static void gradient_input(Problem& p) {
    cpu::winograd::conv2d_gradient_input<Operands, float>(p.context, p.g, p.y.data(), p.w.data(), p.x.data());
  }
  static void gradient_weight(Problem& p) {
    cpu::winograd::conv2d_gradient_weight<Operands, float>(p.context, p.g, p.x.data(), p.y.data(),
                                                           p.w.data());
  }
};

void measure(benchmark::State& state, ConvGeometry const& g, void (*work)(Problem&)) {
  Problem problem{g};
  for (auto _ : state) work(problem);
  state.counters["FLOP/s"] =
      benchmark::Counter(2.0 * static_cast<double>(g.n * g.out_h() * g.out_w() * g.out * g.depth()),
                         benchmark::Counter::kIsIterationInvariantRate);
}

template <class Algorithm>
void add(std::string const& algorithm, ConvGeometry const& g) {
  std::string const size = std::to_string(g.n) + "x" + std::to_string(g.h) + "x" + std::to_string(g.w) + " " +
                           std::to_string(g.in) + "->" + std::to_string(g.out) + " k" +
                           std::to_string(g.kernel) + " s" + std::to_string(g.stride);
  auto const one = [&](char const* direction, void (*work)(Problem&)) {
    benchmark::RegisterBenchmark((size + "/" + direction + "/" + algorithm).c_str(),
                                 [=](benchmark::State& state) { measure(state, g, work); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  };
  one("forward", Algorithm::forward);
  one("gradient_input", Algorithm::gradient_input);
  one("gradient_weight", Algorithm::gradient_weight);
}

auto const conv2d = [](auto const& x, auto const& w) { return diffsiam::ops::conv2d(x, w); };
auto const halving = [](auto const& x, auto const& w) { return diffsiam::ops::conv2d(x, w, {.stride = 2}); };

[[maybe_unused]] bool const operations =
    bench::measure_products(
        "conv2d", bench::op_case("fashion 28x28 32->32", {{64, 28, 28, 32}, {32, 3, 3, 32}}, conv2d),
        bench::op_case("fashion 28x28 1->32", {{64, 28, 28, 1}, {32, 3, 3, 1}}, conv2d),
        bench::op_case("celeba64 64x64 64->64", {{8, 64, 64, 64}, {64, 3, 3, 64}}, conv2d),
        bench::op_case("celeba64 16x16 256->256", {{8, 16, 16, 256}, {256, 3, 3, 256}}, conv2d),
        bench::op_case("one picture 7x7 64->64", {{1, 7, 7, 64}, {64, 3, 3, 64}}, conv2d)) &&
    bench::measure_products(
        "conv2d stride 2",
        bench::op_case("fashion 28x28 32->32", {{64, 28, 28, 32}, {32, 3, 3, 32}}, halving),
        bench::op_case("celeba64 64x64 64->64", {{8, 64, 64, 64}, {64, 3, 3, 64}}, halving));

[[maybe_unused]] bool const algorithms = [] {
  for (ConvGeometry const& g :
       {ConvGeometry{64, 28, 28, 32, 32}, ConvGeometry{64, 14, 14, 64, 64}, ConvGeometry{64, 7, 7, 64, 64},
        ConvGeometry{8, 64, 64, 64, 64}, ConvGeometry{8, 32, 32, 128, 128}, ConvGeometry{8, 16, 16, 256, 256},
        ConvGeometry{8, 8, 8, 512, 512}, ConvGeometry{8, 8, 8, 1024, 512}}) {
    add<Direct>("direct", g);
    add<Winograd<float>>("winograd", g);
    add<Winograd<BFloat16>>("winograd_bf16", g);
  }
  add<Direct>("direct", {64, 28, 28, 96, 32, 1, 1});
  add<Direct>("direct", {64, 28, 28, 1, 32, 3, 2});
  add<Direct>("direct", {64, 14, 14, 32, 64, 3, 2});
  return true;
}();

}  // namespace
