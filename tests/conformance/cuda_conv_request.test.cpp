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
}

}  // namespace diffsiam::test
