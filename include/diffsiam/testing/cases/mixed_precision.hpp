// Cases for operations on tensors in low precision, for backends with mixed precision. A convolution with 16
// output channels makes such a tensor.
#pragma once

#include <diffsiam/functional/activation.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/attention.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/ops/dropout.hpp>
#include <diffsiam/ops/group_norm.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/pool.hpp>
#include <diffsiam/ops/resample.hpp>
#include <diffsiam/testing/case.hpp>
#include <diffsiam/testing/cases/batch_norm.hpp>

namespace diffsiam::testing::cases {

/// Calls visit(Case) for each case.
template <class Visit>
void mixed_precision(Visit&& visit) {
  // Calls f(an image with 16 channels in low precision, weights...). A case lists the shapes of the weights
  // after image and kernel.
  auto const after_conv = [](auto f) {
    return [f](auto const& x, auto const& w, auto const&... more) { return f(ops::conv2d(x, w), more...); };
  };
  Shape const image{3, 6, 8, 5}, kernel{16, 3, 3, 5}, channels{16};
  visit(
      op_case("low-precision silu", {image, kernel}, after_conv([](auto const& h) { return ops::silu(h); })));
  visit(op_case("low-precision sum and difference", {image, kernel},
                after_conv([](auto const& h) { return (h + ops::silu(h)) - 0.5 * h; })));
  visit(op_case("low-precision plus full", {image, kernel, {3, 6, 8, 16}},
                after_conv([](auto const& h, auto const& y) { return y + h; })));
  visit(op_case("low-precision product", {image, kernel}, after_conv([](auto const& h) { return h * h; })));
  visit(op_case("low-precision concat and slice", {image, kernel},
                after_conv([](auto const& h) { return ops::slice(ops::concat(h, ops::silu(h)), 7, 29); })));
  visit(op_case("low-precision resampling", {image, kernel}, after_conv([](auto const& h) {
                  return ops::upsample_nearest(ops::downsample_mean(ops::silu(h)));
                })));
  visit(op_case("low-precision group_norm", {image, kernel, channels, channels},
                after_conv([](auto const& h, auto const& gamma, auto const& beta) {
                  return ops::silu(ops::group_norm(h, gamma, beta, 4));
                })));
  visit(op_case("low-precision modulated_group_norm", {image, kernel, channels, channels, {3, 32}},
                after_conv([](auto const& h, auto const& gamma, auto const& beta, auto const& modulation) {
                  return ops::modulated_group_norm<functional::Silu>(h, gamma, beta, modulation, 4);
                })));
  visit(op_case("low-precision group_norm of odd channels", {image, kernel, {23}, {23}},
                after_conv([](auto const& h, auto const& gamma, auto const& beta) {
                  auto const odd = ops::slice(ops::concat(h, h), 5, 28);
                  return ops::group_norm<functional::Silu>(odd, gamma, beta, 1);
                })));
  visit(op_case("low-precision layer_norm", {image, kernel, channels, channels},
                after_conv([](auto const& h, auto const& gamma, auto const& beta) {
                  return ops::layer_norm(h, gamma, beta);
                })));
  visit(op_case("low-precision batch_norm", {image, kernel, channels, channels},
                after_conv(batch_norm_in_training)));
  visit(op_case(
      "low-precision convolutions", {image, kernel, {32, 3, 3, 16}, {16, 1, 1, 32}, {3, 3, 3, 16}, {3}},
      after_conv([](auto const& h, auto const& w_1, auto const& w_2, auto const& w_3, auto const& b) {
        return ops::conv2d(ops::conv2d(ops::conv2d(h, w_1), w_2), w_3, b);
      })));
  visit(op_case("low-precision 1x1 convolutions of an odd number of pixels",
                {{9, 5, 7, 5}, kernel, {80, 1, 1, 16}, {80}, {32, 1, 1, 80}},
                after_conv([](auto const& h, auto const& w_1, auto const& b, auto const& w_2) {
                  return ops::conv2d(ops::conv2d(h, w_1, b), w_2);
                })));
  visit(op_case("low-precision convolutions at stride 2",
                {image, kernel, {16, 3, 3, 16}, {16}, {32, 1, 1, 16}},
                after_conv([](auto const& h, auto const& w_1, auto const& b, auto const& w_2) {
                  return ops::conv2d(ops::conv2d(h, w_1, b, {.stride = 2}), w_2, {.stride = 2});
                })));
  visit(op_case("low-precision linear and attention", {image, kernel, {48, 16}, {48}, {10, 16}},
                after_conv([](auto const& h, auto const& w_1, auto const& b, auto const& w_2) {
                  // Small values, so that a rounded score does not select another position.
                  auto const qkv = ops::linear(ops::linear_combination(0.01, h, 0, h), w_1, b);
                  return ops::linear(ops::attention(ops::linear_combination(0.3, qkv, 0, qkv), 2), w_2);
                })));
  visit(op_case("low-precision dropout and mean", {image, kernel}, after_conv([](auto const& h) {
                  return ops::global_average_pool(ops::dropout(h, 0.3, {.seed = 3}));
                })));
}

}  // namespace diffsiam::testing::cases
