#include <utility>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda/alignment.hpp>
#include <diffsiam/backend/cuda/conv_request.hpp>

namespace diffsiam::test {

using namespace backend::cuda;

TEST_CASE("Convolutions that differ in shape, pass or types have plans of their own") {
  ConvRequest const one{{2, 8, 6, 5, 7, 3, 1}, Pass::forward, Math::tf32};
  CHECK(key_of(one) == key_of(ConvRequest{one}));
  auto const differs = [&](auto change) {
    ConvRequest other = one;
    change(other);
    return key_of(other) != key_of(one);
  };
  CHECK(differs([](ConvRequest& r) { r.pass = Pass::gradient_weight; }));
  CHECK(differs([](ConvRequest& r) { r.math = Math::float32; }));
  CHECK(differs([](ConvRequest& r) { r.x = Element::bfloat16; }));
  CHECK(differs([](ConvRequest& r) { r.w = Element::float16; }));
  CHECK(differs([](ConvRequest& r) { r.y = Element::float16; }));
  CHECK(differs([](ConvRequest& r) { r.g.n = 3; }));
  CHECK(differs([](ConvRequest& r) { std::swap(r.g.h, r.g.w); }));
  CHECK(differs([](ConvRequest& r) { r.g.in = 8; }));
  CHECK(differs([](ConvRequest& r) { r.g.out = 8; }));
  CHECK(differs([](ConvRequest& r) { r.g.kernel = 1; }));
  CHECK(differs([](ConvRequest& r) { r.g.stride = 2; }));
  CHECK(differs([](ConvRequest& r) { r.alignment = 4; }));
  CHECK(differs([](ConvRequest& r) { r.accumulates = true; }));
  CHECK(differs([](ConvRequest& r) { r.has_bias = true; }));
}

TEST_CASE("Outputs in 16 bits are asked for once, and outputs in float32 in two ways") {
  alignas(16) static float full[8] = {};
  static BFloat16 low[8] = {};
  using Out = MixedPointer<float, BFloat16>;
  ConvGeometry const g{2, 8, 6, 5, 7, 3, 1};
  auto const stored = mixed_requests(g, Pass::forward, Out{nullptr, low});
  CHECK(output_of(stored.best) == Element::bfloat16);
  CHECK_FALSE(stored.other);
  CHECK(stored.with_bias().has_bias);
  CHECK(output_of(stored.with_bias()) == Element::bfloat16);

  auto const image = mixed_requests(g, Pass::forward, Out{full});
  CHECK(image.best.y == Element::float32);
  CHECK(image.best.x == Element::bfloat16);
  REQUIRE(image.other);
  CHECK(output_of(*image.other) == Element::bfloat16);

  auto const gradient = mixed_requests(g, Pass::gradient_input, Out{full + 1});
  CHECK(output_of(gradient.best) == Element::float32);
  CHECK(gradient.best.alignment == 4);
  CHECK_FALSE(gradient.best.accumulates);

  // Gradients of weights are never rounded to 16 bits.
  auto const weights = mixed_requests(g, Pass::gradient_weight, Out{full});
  CHECK(output_of(weights.best) == Element::float32);
  CHECK(weights.best.accumulates);
  REQUIRE(weights.other);
  CHECK_FALSE(weights.other->in_16_bits());
  CHECK(weights.other->math == Math::tf32);
}

TEST_CASE("A convolution without samples or outputs is empty, and one of 1x1 is a product") {
  CHECK(is_empty({0, 8, 6, 5, 7, 3, 1}));
  CHECK(is_empty({2, 8, 6, 5, 0, 3, 1}));
  CHECK_FALSE(is_empty({1, 1, 1, 1, 1, 3, 1}));
  CHECK(is_product({2, 8, 6, 5, 7, 1, 1}));
  CHECK_FALSE(is_product({2, 8, 6, 5, 7, 1, 2}));
  CHECK_FALSE(is_product({2, 8, 6, 5, 7, 3, 1}));
}

TEST_CASE("The alignment of tensors is that of the least aligned, up to 16 bytes") {
  alignas(32) static float const values[16] = {};
  CHECK(alignment_of({&values[0], &values[8]}) == 16);
  CHECK(alignment_of({&values[4], nullptr}) == 16);
  CHECK(alignment_of({&values[8]}, 256 | 4) == 4);  // one more every 4 bytes
  CHECK(alignment_of({&values[0]}, 32) == 32);
  CHECK(alignment_of({&values[0], &values[2]}) == 8);
  CHECK(alignment_of({&values[2], &values[0], &values[3]}) == 4);
  CHECK(alignment_of({reinterpret_cast<char const*>(&values[0]) + 2}) == 2);
}

TEST_CASE("What has no plan is told in one sentence") {
  ConvRequest const request{{2, 8, 6, 5, 7, 3, 1}, Pass::gradient_weight, Math::tf32,
                            Element::bfloat16,     Element::float32,      Element::bfloat16};
  CHECK(without_plan(request, "own direct sums serve") ==
        "conv2d_gradient_weight of (2, 8, 6, 5) to 7 channels, kernel 3, stride 1, image bfloat16, "
        "weights float32, output bfloat16: cuDNN has no plan; own direct sums serve");
  CHECK_THAT(without_plan(request, "own direct sums serve", "cuBLASLt has no algorithm"),
             contains(": cuBLASLt has no algorithm; own direct sums serve"));
}

}  // namespace diffsiam::test
