// Cases for products of matrices, convolutions, attention, and resampling.
#pragma once

#include <diffsiam/ops/attention.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/matmul.hpp>
#include <diffsiam/ops/pool.hpp>
#include <diffsiam/ops/resample.hpp>
#include <diffsiam/ops/time_embedding.hpp>
#include <diffsiam/testing/case.hpp>

namespace diffsiam::testing::cases {

template <class Visit>
void product(Visit&& visit) {
  visit(op_case("linear", {{5, 3}, {4, 3}, {4}},
                [](auto const& x, auto const& w, auto const& b) { return ops::linear(x, w, b); }));
  visit(op_case("linear, no bias", {{5, 3}, {4, 3}},
                [](auto const& x, auto const& w) { return ops::linear(x, w); }));
  visit(op_case("linear, images", {{2, 3, 4, 5}, {6, 5}, {6}},
                [](auto const& x, auto const& w, auto const& b) { return ops::linear(x, w, b); }));
  visit(op_case("linear, vector", {{5}, {3, 5}},
                [](auto const& x, auto const& w) { return ops::linear(x, w); }));
  visit(op_case("linear, z z^T", {{6, 3}}, [](auto const& z) { return ops::linear(z, z); }));
  visit(op_case("matmul", {{5, 3}, {3, 4}}, [](auto const& a, auto const& b) { return ops::matmul(a, b); }));
  visit(op_case("matmul, a^T b", {{3, 5}, {3, 4}},
                [](auto const& a, auto const& b) { return ops::matmul(a, b, {.transpose_a = true}); }));
  visit(op_case("matmul, a b^T", {{5, 3}, {4, 3}},
                [](auto const& a, auto const& b) { return ops::matmul(a, b, {.transpose_b = true}); }));
  visit(op_case("matmul, a^T b^T", {{3, 5}, {4, 3}}, [](auto const& a, auto const& b) {
    return ops::matmul(a, b, {.transpose_a = true, .transpose_b = true});
  }));
  visit(op_case("attention, 1 head", {{2, 2, 3, 12}}, [](auto const& x) { return ops::attention(x, 1); }));
  visit(op_case("attention, 2 heads", {{2, 3, 2, 12}}, [](auto const& x) { return ops::attention(x, 2); }));
  visit(op_case("attention, 4 heads of 1", {{1, 5, 12}}, [](auto const& x) { return ops::attention(x, 4); }));
  visit(op_case("global_average_pool", {{2, 3, 2, 5}},
                [](auto const& x) { return ops::global_average_pool(x); }));
  visit(op_case("upsample_nearest", {{2, 3, 2, 5}}, [](auto const& x) { return ops::upsample_nearest(x); }));
  visit(op_case("downsample_mean", {{2, 4, 6, 3}}, [](auto const& x) { return ops::downsample_mean(x); }));
  visit(op_case("downsample_mean, 1 channel", {{3, 2, 4, 1}},
                [](auto const& x) { return ops::downsample_mean(x); }));
  visit(constant_case("time_embedding", {{Kind::time_steps, {5}}},
                      [](auto const& t) { return ops::time_embedding(t, 12); }));
}

/// Calls visit(case) for convolutions of several sizes and strides.
template <class Visit>
void convolution(Visit&& visit) {
  auto const biased = [](auto const& x, auto const& w, auto const& b) { return ops::conv2d(x, w, b); };
  auto const plain = [](auto const& x, auto const& w) { return ops::conv2d(x, w); };
  auto const strided = [](auto const& x, auto const& w) { return ops::conv2d(x, w, {.stride = 2}); };
  visit(op_case("conv2d, 3x3, bias", {{2, 5, 4, 3}, {2, 3, 3, 3}, {2}}, biased));
  visit(op_case("conv2d, 3x3", {{2, 4, 5, 1}, {3, 3, 3, 1}}, plain));
  visit(op_case("conv2d, 1x1, bias", {{2, 3, 4, 5}, {3, 1, 1, 5}, {3}}, biased));
  visit(op_case("conv2d, 1x1", {{3, 2, 4, 2}, {4, 1, 1, 2}}, plain));
  visit(op_case("conv2d, 5x5 over a small image", {{2, 3, 2, 2}, {2, 5, 5, 2}}, plain));
  visit(op_case(
      "conv2d, 3x3, stride 2, bias", {{2, 6, 4, 2}, {3, 3, 3, 2}, {3}},
      [](auto const& x, auto const& w, auto const& b) { return ops::conv2d(x, w, b, {.stride = 2}); }));
  visit(op_case("conv2d, 3x3, stride 2, odd sides", {{2, 5, 7, 2}, {3, 3, 3, 2}}, strided));
  visit(op_case("conv2d, 1x1, stride 2", {{2, 5, 4, 3}, {2, 1, 1, 3}}, strided));
}

}  // namespace diffsiam::testing::cases
