#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/tensor/keep_kernels.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::test {

namespace {

using B = backend::Cpu<float>;

std::vector<float> drawn(Index size, std::uint64_t seed) {
  B::Context context{{.threads = 1}};
  std::vector<float> values(static_cast<std::size_t>(size));
  B::normal(context, {.seed = seed}, values.data(), size);
  return values;
}

}  // namespace

TEST_CASE("Kept kernels give the same bits, and are let go with the promise") {
  B::Context context{{.threads = 2}};
  // Winograd's transform, of a kernel that is made whole and of one that is made by panels, and packed
  // panels.
  struct Size {
    Index n, side, in, out, kernel;
  };
  for (Size const s : {Size{4, 12, 16, 32, 3}, Size{6, 8, 208, 208, 3}, Size{4, 12, 16, 32, 1}}) {
    Shape const x_shape{s.n, s.side, s.side, s.in}, w_shape{s.out, s.kernel, s.kernel, s.in};
    auto const x_values = drawn(x_shape.size(), 1), w_values = drawn(w_shape.size(), 2);
    auto const x = Tensor<B>::from(context, x_shape, std::span<float const>(x_values));
    auto const w = Tensor<B>::from(context, w_shape, std::span<float const>(w_values));
    auto const expected = ops::conv2d(x, w).values();
    CHECK(context.kernels().size() == 0);
    {
      auto const kept = keep_kernels(context);
      {
        auto const inner = keep_kernels(context);
        CHECK(ops::conv2d(x, w).values() == expected);
        CHECK(context.kernels().size() == 1);
      }
      CHECK(context.kernels().size() == 1);
      CHECK(ops::conv2d(x, w).values() == expected);
      CHECK(context.kernels().size() == 1);
    }
    CHECK(context.kernels().size() == 0);
    w.fill(0);
    CHECK(ops::conv2d(x, w).values() == std::vector<float>(expected.size(), 0.0F));
  }
}

TEST_CASE("Backends of two types of operands may share a context and its weights") {
  using Rounded = backend::Cpu<float, BFloat16>;
  B::Context context{{.threads = 2}};
  auto const x_values = drawn(4 * 12 * 12 * 16, 1), w_values = drawn(32 * 9 * 16, 2);
  auto const x = Tensor<B>::from(context, {4, 12, 12, 16}, std::span<float const>(x_values));
  auto const w = Tensor<B>::from(context, {32, 3, 3, 16}, std::span<float const>(w_values));
  auto const rounded_x = Tensor<Rounded>::borrowed(context, x.shape(), x.data());
  auto const rounded_w = Tensor<Rounded>::borrowed(context, w.shape(), w.data());
  auto const expected = ops::conv2d(x, w).values();
  auto const expected_rounded = ops::conv2d(rounded_x, rounded_w).values();
  REQUIRE(expected != expected_rounded);

  auto const kept = keep_kernels(context);
  CHECK(ops::conv2d(x, w).values() == expected);
  CHECK(ops::conv2d(rounded_x, rounded_w).values() == expected_rounded);
  CHECK(context.kernels().size() == 2);
}

}  // namespace diffsiam::test
