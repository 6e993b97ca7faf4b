// The kernels of the Cuda backend that read and write 16 bits, without a GPU: stepped through on the host.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cuda/kernels/round_values.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/ops/group_norm.hpp>
#include <diffsiam/testing/draw.hpp>
#include <diffsiam/testing/stepped_mixed.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

namespace {

/// The gradient of the weights of a convolution, to whose output a GroupNorm of it and a 1x1 convolution of
/// it are added: its own gradient is the sum of three.
template <class B>
[[nodiscard]] std::vector<float> gradient_of_three_uses() {
  typename B::Context context;
  auto const drawn = [&](Shape const& shape, std::uint32_t stream) {
    auto const values = testing::draw(testing::Kind::normal, shape, {.seed = 3, .stream = stream});
    return Tensor<B>::from(context, shape, std::span<double const>(values));
  };
  Tape<B> tape{context};
  auto const w = tape.variable(drawn({16, 3, 3, 3}, 1));
  auto const x = ops::conv2d(tape.input(drawn({2, 4, 4, 3}, 2)), w);  // (2, 4, 4, 16)
  auto const narrow = ops::conv2d(x, drawn({16, 1, 1, 16}, 3));
  auto const normal = ops::group_norm<functional::Silu>(x, drawn({16}, 4), drawn({16}, 5), 4);
  tape.backward(x + normal + narrow, drawn({2, 4, 4, 16}, 6));
  return w.gradient().template values<float>();
}

}  // namespace

TEMPLATE_TEST_CASE("The mixed kernels of the Cuda backend, stepped through on the host, conform",
                   "[conformance]", BFloat16, Half) {
  conforms<testing::SteppedMixed<TestType>>();
}

TEMPLATE_TEST_CASE("Mixed kernels widen what they read and round what they write, packed or not", "",
                   BFloat16, Half) {
  using B = testing::SteppedMixed<TestType>;
  typename B::Context context;
  // Rows of a multiple of eight go in packs; others, and those that start at an odd place, one by one.
  for (Index const size : {Index{64}, Index{63}})
    for (Index const from : {Index{0}, Index{1}}) {
      CAPTURE(size, from);
      std::vector<TestType> x(80), y(80);
      std::vector<float> more(80, 0.1F), full(80, -1.0F);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = TestType(0.37F * static_cast<float>(i));
      SampleGrid const all{1, 1, size};
      MixedPointer<float, TestType> const out{nullptr, y.data() + from}, in{nullptr, x.data() + from};
      MixedPointer<float, TestType> const factor{more.data() + from};
      B::for_each(context, all.grid(), functional::Multiply{}, all.full(out), all.full(in), all.full(factor));
      B::copy(context, in, full.data() + from, size);
      for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(from + size); ++i) {
        CHECK(y[i].bits == TestType(static_cast<float>(x[i]) * 0.1F).bits);
        CHECK(full[i] == static_cast<float>(x[i]));
      }
      CHECK(full[static_cast<std::size_t>(from + size)] == -1);
    }
}

TEMPLATE_TEST_CASE("Gradients in low precision of several uses add up", "", BFloat16, Half) {
  auto const mixed = gradient_of_three_uses<testing::SteppedMixed<TestType>>();
  auto const full = gradient_of_three_uses<backend::Reference<float>>();
  REQUIRE(mixed.size() == full.size());
  float largest = 0;
  for (float const value : full) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < full.size(); ++i) CHECK(mixed[i] == Approx(full[i]).margin(0.02 * largest));
}

TEMPLATE_TEST_CASE("Many tensors are rounded together, each to a place of its own", "", BFloat16, Half) {
  namespace cuda = backend::cuda;
  // More tensors than a launch takes; some are longer than a chunk, and some begin at an odd address.
  std::vector<std::vector<float>> memory;
  std::vector<TensorValues<float>> tensors;
  for (Index i = 0; i < 150; ++i) {
    Index const size = i == 7 ? 20001 : i == 130 ? 0 : 1 + 37 * i % 800, from = i % 2;
    auto& values = memory.emplace_back(static_cast<std::size_t>(size + from));
    for (std::size_t j = 0; j < values.size(); ++j)
      values[j] = std::sin(static_cast<float>(j) + 0.1F * static_cast<float>(i));
    tensors.push_back({values.data() + from, size});
  }
  std::span<TensorValues<float> const> const all{tensors};
  auto const places = cuda::places_of_rounded(all);
  testing::SteppedContext context;
  auto const copies = context.allocate(static_cast<std::size_t>(places.back()) * sizeof(TestType));
  auto* const to = static_cast<TestType*>(copies.get());
  cuda::round_values<testing::SteppedDevice>(context, all, places, to);
  Index wrong = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    for (Index j = 0; j < tensors[i].size; ++j)
      wrong += to[places[i] + j].bits == TestType(tensors[i].data[j]).bits ? 0 : 1;
  CHECK(wrong == 0);
}

}  // namespace diffsiam::test
