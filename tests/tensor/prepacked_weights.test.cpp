#include <functional>
#include <utility>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/tensor/prepacked_weights.hpp>
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

TEST_CASE("Prepacked weights give the same bits, and are let go at the end") {
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
    CHECK(context.prepacked_weights().size() == 0);
    {
      auto const kept = keep_prepacked_weights(context);
      {
        auto const inner = keep_prepacked_weights(context);
        CHECK(ops::conv2d(x, w).values() == expected);
        CHECK(context.prepacked_weights().size() == 1);
      }
      CHECK(context.prepacked_weights().size() == 1);
      CHECK(ops::conv2d(x, w).values() == expected);
      CHECK(context.prepacked_weights().size() == 1);
    }
    CHECK(context.prepacked_weights().size() == 0);
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

  auto const kept = keep_prepacked_weights(context);
  CHECK(ops::conv2d(x, w).values() == expected);
  CHECK(ops::conv2d(rounded_x, rounded_w).values() == expected_rounded);
  CHECK(context.prepacked_weights().size() == 2);
}

TEST_CASE("Weights are packed anew whoever wrote them, and by whatever way") {
  B::Context context{{.threads = 2}};
  auto const kernel = GENERATE(Index{1}, Index{3});
  INFO("kernel " << kernel);
  Shape const w_shape{32, kernel, kernel, 16};
  auto const x_values = drawn(4 * 12 * 12 * 16, 1), first = drawn(w_shape.size(), 2),
             second = drawn(w_shape.size(), 3);
  auto const x = Tensor<B>::from(context, {4, 12, 12, 16}, std::span<float const>(x_values));
  auto const w = Tensor<B>::from(context, w_shape, std::span<float const>(first));
  auto const expected = [&] {
    B::Context other{{.threads = 1}};
    auto const own_x = Tensor<B>::from(other, x.shape(), std::span<float const>(x_values));
    auto const own_w = Tensor<B>::from(other, w_shape, std::span<float const>(w.values()));
    return ops::conv2d(own_x, own_w).values();
  };
  auto const kept = keep_prepacked_weights(context);
  std::vector<std::function<void()>> const ways{
      [] {},
      [&] { w.assign(std::span<float const>(second)); },
      [&] { w.fill(0.5F); },
      [&] { w.assign(Tensor<B>::from(context, w_shape, std::span<float const>(first))); },
      [&] { w.data()[w_shape.size() - 1] += 1; },
      [&] { std::swap(w.data()[0], w.data()[1]); },
      [&] {
        for (float& value : std::span{w.data(), static_cast<std::size_t>(w_shape.size())}) value = -value;
      }};
  for (auto const& write : ways) {
    write();
    CHECK(ops::conv2d(x, w).values() == expected());
    CHECK(context.prepacked_weights().size() == 1);
  }
  // Freed memory goes to the next tensor of its size.
  float const* place = nullptr;
  for (std::uint64_t seed = 4; seed < 7; ++seed) {
    auto const temporary =
        Tensor<B>::from(context, w_shape, std::span<float const>(drawn(w_shape.size(), seed)));
    if (place != nullptr) REQUIRE(temporary.data() == place);
    place = temporary.data();
    w.assign(temporary);
    CHECK(ops::conv2d(x, temporary).values() == expected());
  }
}

TEST_CASE("Under a promise weights are not looked at, but what was kept before it and after it is") {
  B::Context context{{.threads = 1}};
  Shape const w_shape{32, 3, 3, 16};
  auto const x_values = drawn(4 * 12 * 12 * 16, 1), first = drawn(w_shape.size(), 2);
  auto const x = Tensor<B>::from(context, {4, 12, 12, 16}, std::span<float const>(x_values));
  auto const w = Tensor<B>::from(context, w_shape, std::span<float const>(first));
  auto const expected = ops::conv2d(x, w).values();
  std::vector<float> const zeros(expected.size(), 0.0F);
  auto const kept = keep_prepacked_weights(context);
  CHECK(ops::conv2d(x, w).values() == expected);
  w.fill(0);
  {
    auto const promised = keep_prepacked_weights(context, WeightPromise::stay);
    CHECK(ops::conv2d(x, w).values() == zeros);
    w.assign(std::span<float const>(first));  // the promise is broken
    CHECK(ops::conv2d(x, w).values() == zeros);
  }
  CHECK(ops::conv2d(x, w).values() == expected);
  {
    auto const promised = keep_prepacked_weights(context, WeightPromise::stay);
    CHECK(ops::conv2d(x, w).values() == expected);
  }
  w.fill(0);
  CHECK(ops::conv2d(x, w).values() == zeros);
  {
    auto const promised = keep_prepacked_weights(context, WeightPromise::stay);
    CHECK(ops::conv2d(x, w).values() == zeros);
  }
}

TEST_CASE("A fingerprint changes with every word, and not with the number of threads") {
  ThreadPool one{1}, three{3};
  for (std::size_t const size : {1U, 3U, 130U, 70000U}) {
    std::vector<float> values(size, 0.25F);
    auto const of = [&](ThreadPool& threads) {
      return backend::fingerprint(threads, values.data(), size * sizeof(float));
    };
    auto const before = of(one);
    CHECK(of(three) == before);
    for (std::size_t i = 0; i < size; i += size / 97 + 1) {
      values[i] = -values[i];  // the highest bit alone
      CHECK(of(one) != before);
      values[size - 1 - i] = -values[size - 1 - i];
      if (2 * i != size - 1) CHECK(of(one) != before);
      values[i] = values[size - 1 - i] = 0.25F;
    }
    CHECK(of(one) == before);
  }
}

}  // namespace diffsiam::test
