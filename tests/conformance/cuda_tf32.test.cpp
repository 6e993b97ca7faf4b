// What TF32 leaves of the results of the conformance suite, without a GPU: the operands of products and
// convolutions are truncated to ten bits of mantissa, as tensor cores read float32. So the tolerance of
// Cuda<TF32> is neither too small nor generous.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cuda/math.hpp>
#include <diffsiam/backend/reference/reference.hpp>

namespace diffsiam::test {

namespace {

/// Reference in float, with such operands.
struct Truncating : backend::Reference<float> {
  using Base = backend::Reference<float>;
  static constexpr double operand_tolerance = backend::cuda::tf32_tolerance;

  static void gemm(Context& context, Gemm<float> const& g) {
    Gemm<float> each = g;
    each.batch_outer = each.batch_inner = 1;
    each.a = {.leading = g.k};
    each.b = {.leading = g.n};
    for (Index outer = 0; outer < g.batch_outer; ++outer)
      for (Index inner = 0; inner < g.batch_inner; ++inner) {
        auto const a = packed(g.a, g.m, g.k, outer, inner), b = packed(g.b, g.k, g.n, outer, inner);
        each.a.data = a.data();
        each.b.data = b.data();
        each.c.data = g.c.data + outer * g.c.outer_stride + inner * g.c.inner_stride;
        Base::gemm(context, each);
      }
  }
  static void conv2d(Context& context, ConvGeometry const& g, float const* x, float const* w,
                     float const* bias, float* y) {
    Base::conv2d(context, g, image(g, x).data(), weights(g, w).data(), bias, y);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, float const* dy, float const* w,
                                    float* dx) {
    Base::conv2d_gradient_input(context, g, output(g, dy).data(), weights(g, w).data(), dx);
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, float const* x, float const* dy,
                                     float* dw) {
    Base::conv2d_gradient_weight(context, g, image(g, x).data(), output(g, dy).data(), dw);
  }

 private:
  [[nodiscard]] static float truncated(float value) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xFFFFE000U);
  }
  [[nodiscard]] static std::vector<float> truncated(float const* values, Index size) {
    std::vector<float> result(values, values + size);
    std::transform(result.begin(), result.end(), result.begin(), [](float v) { return truncated(v); });
    return result;
  }
  [[nodiscard]] static std::vector<float> image(ConvGeometry const& g, float const* x) {
    return truncated(x, g.n * g.h * g.w * g.in);
  }
  [[nodiscard]] static std::vector<float> weights(ConvGeometry const& g, float const* w) {
    return truncated(w, g.out * g.depth());
  }
  [[nodiscard]] static std::vector<float> output(ConvGeometry const& g, float const* y) {
    return truncated(y, g.n * g.out_h() * g.out_w() * g.out);
  }
  /// One matrix of a batch, in rows.
  [[nodiscard]] static std::vector<float> packed(MatrixView<float const> const& m, Index rows, Index columns,
                                                 Index outer, Index inner) {
    std::vector<float> result;
    float const* const data = m.data + outer * m.outer_stride + inner * m.inner_stride;
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j)
        result.push_back(truncated(data[m.transposed ? j * m.leading + i : i * m.leading + j]));
    return result;
  }
};

}  // namespace

TEST_CASE("Products of products in TF32 stay within their tolerance, and not within a tenth of it",
          "[conformance]") {
  Truncating::Context context{{.threads = 1}};
  testing::Bench<Truncating> bench{context};
  testing::cases::product([&](auto const& tested) { testing::check_case(bench, tested); });
  testing::cases::convolution([&](auto const& tested) { testing::check_case(bench, tested); });
  testing::check_conv2d(bench, {6, 5, 7, 256, 208, 3, 1});
  require_all(bench.comparisons());
  double worst = 0;
  for (auto const& comparison : bench.comparisons()) worst = std::max(worst, comparison.error);
  INFO("the largest error is " << worst);
  CHECK(worst > 0.1 * backend::cuda::tf32_tolerance);
}

}  // namespace diffsiam::test
