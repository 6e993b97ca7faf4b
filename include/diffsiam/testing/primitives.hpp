// Conformance of the primitives: compares memory, products, convolutions and random numbers of a backend with
// the specification. Element-wise operations and reductions are in walks.hpp.
#pragma once

#include <diffsiam/core/products.hpp>
#include <diffsiam/testing/comparison.hpp>

namespace diffsiam::testing {

/// Checks fill, copy, upload and download.
template <class B>
void check_memory(Bench<B>& bench) {
  for (Index size : {Index{1}, Index{7}, Index{70001}}) {
    auto const from = bench.twin({size}), to = bench.filled({size}, 3), half = bench.filled({size}, 3);
    bench.run([&]<class S>(typename S::Context& context, auto pick) {
      S::copy(context, pick(from), pick(to), size);
      S::fill(context, pick(half), (size + 1) / 2, typename S::Scalar(0.5));
    });
    bench.compare("copy of " + std::to_string(size), to, 0);
    bench.compare("fill of half of " + std::to_string(size), half, 0);
  }
}

/// Checks all transpositions, batched or not. Leading dimensions are larger than the matrices, and what lies
/// between must not change.
template <class B>
void check_gemm(Bench<B>& bench, Index m, Index n, Index k, bool batched) {
  Index const outer = batched ? 2 : 1, inner = batched ? 3 : 1;
  for (int variant = 0; variant < 8; ++variant) {
    bool const a_transposed = (variant & 1) != 0, b_transposed = (variant & 2) != 0;
    bool const accumulate = (variant & 4) != 0;
    Index const a_rows = a_transposed ? k : m, a_leading = (a_transposed ? m : k) + 2;
    Index const b_rows = b_transposed ? n : k, b_leading = (b_transposed ? k : n) + 1;
    Index const c_leading = n + 3;
    auto const a = bench.twin({outer, inner, a_rows, a_leading});
    auto const b = bench.twin({outer, inner, b_rows, b_leading});
    // What is not accumulated is overwritten, even if it was NaN.
    double const nan = std::numeric_limits<double>::quiet_NaN();
    auto const c = accumulate ? bench.twin({outer, inner, m, c_leading})
                              : bench.filled({outer, inner, m, c_leading}, nan);
    bench.run([&]<class S>(typename S::Context& context, auto pick) {
      using T = typename S::Scalar;
      S::gemm(context, Gemm<T>{.m = m,
                               .n = n,
                               .k = k,
                               .a = {.data = pick(a),
                                     .leading = a_leading,
                                     .transposed = a_transposed,
                                     .outer_stride = inner * a_rows * a_leading,
                                     .inner_stride = a_rows * a_leading},
                               .b = {.data = pick(b),
                                     .leading = b_leading,
                                     .transposed = b_transposed,
                                     .outer_stride = inner * b_rows * b_leading,
                                     .inner_stride = b_rows * b_leading},
                               .c = {.data = pick(c),
                                     .leading = c_leading,
                                     .outer_stride = inner * m * c_leading,
                                     .inner_stride = m * c_leading},
                               .alpha = variant % 3 == 0 ? T(1) : T(0.375),
                               .accumulate = accumulate,
                               .batch_outer = outer,
                               .batch_inner = inner});
    });
    bench.compare("gemm " + to_string(Shape{m, n, k}) + (a_transposed ? ", a^T" : "") +
                      (b_transposed ? ", b^T" : "") + (accumulate ? ", accumulated" : "") +
                      (batched ? ", batched" : ""),
                  c);
  }
}

/// Checks the forward pass with and without bias, and both gradients, which must be added to what is there.
template <class B>
void check_conv2d(Bench<B>& bench, ConvGeometry const& g) {
  std::string const name = " " + to_string(Shape{g.n, g.h, g.w, g.in}) + " -> " + std::to_string(g.out) +
                           ", kernel " + std::to_string(g.kernel) + ", stride " + std::to_string(g.stride);
  Shape const x_shape{g.n, g.h, g.w, g.in}, w_shape{g.out, g.kernel, g.kernel, g.in};
  Shape const y_shape{g.n, g.out_h(), g.out_w(), g.out};
  double const nan = std::numeric_limits<double>::quiet_NaN();
  auto const x = bench.twin(x_shape), w = bench.twin(w_shape), bias = bench.twin({g.out});
  auto const plain = bench.filled(y_shape, nan), biased = bench.filled(y_shape, nan);
  auto const dy = bench.twin(y_shape), dx = bench.twin(x_shape), dw = bench.twin(w_shape);
  bench.run([&]<class S>(typename S::Context& context, auto pick) {
    S::conv2d(context, g, pick(x), pick(w), nullptr, pick(plain));
    S::conv2d(context, g, pick(x), pick(w), pick(bias), pick(biased));
    S::conv2d_gradient_input(context, g, pick(dy), pick(w), pick(dx));
    S::conv2d_gradient_weight(context, g, pick(x), pick(dy), pick(dw));
  });
  bench.compare("conv2d" + name, plain);
  bench.compare("conv2d with bias" + name, biased);
  bench.compare("conv2d_gradient_input" + name, dx);
  bench.compare("conv2d_gradient_weight" + name, dw);
}

/// Checks that random numbers have the same bits on all backends, for all sizes of the last block. Normal
/// numbers may differ if a backend says so (`normal_tolerance`).
template <class B>
void check_random(Bench<B>& bench) {
  constexpr double normal_tolerance = [] {
    if constexpr (backend::RoundsNormals<B>)
      return B::normal_tolerance;
    else
      return 0.0;
  }();
  Rng const rng{.seed = 0x123456789ABCDEF, .stream = 7, .step = 0x100000002};
  for (Index size : {Index{1}, Index{6}, Index{131075}}) {
    auto const uniform = bench.filled({size}, -1), normal = bench.filled({size}, -1);
    bench.run([&]<class S>(typename S::Context& context, auto pick) {
      S::uniform(context, rng, pick(uniform), size);
      S::normal(context, rng, pick(normal), size);
    });
    bench.compare("uniform, " + std::to_string(size), uniform, 0);
    bench.compare("normal, " + std::to_string(size), normal, normal_tolerance);
  }
}

/// Checks short and long rows, in place or not, and logits whose exponentials overflow.
template <class B>
void check_softmax(Bench<B>& bench) {
  double const infinity = std::numeric_limits<double>::infinity();
  auto const check = [&](std::string const& name, Twin<B> const& x) {
    Shape const& shape = x.ours.shape();
    auto const p = bench.filled(shape, -1), log_p = bench.filled(shape, -1);
    bench.run([&]<class S>(typename S::Context& context, auto pick) {
      S::softmax(context, shape[0], shape[1], pick(x), pick(p));
      S::log_softmax(context, shape[0], shape[1], pick(x), pick(log_p));
      S::softmax(context, shape[0], shape[1], pick(x), pick(x));
    });
    bench.compare("softmax, " + name, p);
    bench.compare("log_softmax, " + name, log_p);
    bench.compare("softmax in place, " + name, x);
  };
  check("one column", bench.twin({5, 1}));
  check("short rows", bench.twin({7, 3}));
  check("many rows", bench.twin({3000, 10}));
  check("long rows", bench.twin({2, 1500}));
  check("extreme logits",
        bench.twin({4, 4}, {1e30, -1e30, 0, 1, 88, 89, 90, 1000, -1000, -1001, -1002, -2000, 0, 0, 0, 0}));
  check("a common offset", bench.twin({2, 4}, {4096, 4097, 4098, 4095, -4096, -4095, -4098, -4100}));
  check("closed entries", bench.twin({2, 3}, {-infinity, 0, 1, 2, -infinity, -infinity}));
}

/// Runs all of these checks.
template <class B>
void check_primitives(Bench<B>& bench) {
  check_memory(bench);
  for (bool batched : {false, true}) {
    check_gemm(bench, 1, 1, 1, batched);
    check_gemm(bench, 3, 5, 7, batched);
    check_gemm(bench, 1, 9, 4, batched);
    check_gemm(bench, 33, 2, 65, batched);
  }
  check_gemm(bench, 131, 137, 9, false);  // more than one tile in each direction
  check_gemm(bench, 6, 10, 500, false);   // deep
  for (Index kernel : {1, 3, 5})
    for (Index stride : {1, 2, 3}) check_conv2d(bench, {3, 5, 4, 3, 2, kernel, stride});
  check_conv2d(bench, {1, 1, 1, 1, 1, 3, 1});
  check_conv2d(bench, {1, 2, 1, 1, 4, 3, 2});
  check_conv2d(bench, {10, 7, 13, 16, 5, 3, 1});
  check_conv2d(bench, {9, 13, 12, 17, 3, 3, 2});
  check_conv2d(bench, {2, 13, 11, 3, 131, 3, 1});
  check_conv2d(bench, {2, 13, 11, 131, 3, 1, 1});
  // Whole vectors of channels and many tiles, for which fast algorithms are used. The sides fill no tile,
  // some, or all of them.
  check_conv2d(bench, {9, 9, 11, 16, 48, 3, 1});
  check_conv2d(bench, {30, 3, 2, 32, 16, 3, 1});
  check_conv2d(bench, {2, 16, 20, 64, 32, 3, 1});
  // Small images with many channels, as in the lowest level of a UNet, and the opposite.
  check_conv2d(bench, {6, 5, 7, 256, 208, 3, 1});
  check_conv2d(bench, {13, 9, 11, 16, 16, 3, 1});
  check_softmax(bench);
  check_random(bench);
}

}  // namespace diffsiam::testing
