#include <tests/nn/weights.hpp>

#include <diffsiam/nn/res_block.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("A block begins as its skip, resampled", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  auto const x = make({1, 2, 4, 1}, {1, 2, 5, 6, 3, 6, 7, 10}), emb = make({1, 1}, {0.5});
  auto const block = [&](nn::Resample resample) {
    return nn::ResBlock<B>{init, {.in = 1, .out = 1, .embedding = 1, .groups = 1, .resample = resample}};
  };
  check_values(block(nn::Resample::keep)(x, emb), {1, 2, 4, 1}, {1, 2, 5, 6, 3, 6, 7, 10});
  check_values(block(nn::Resample::halve)(x, emb), {1, 1, 2, 1}, {3, 7});
  check_values(block(nn::Resample::twice)(x, emb), {1, 4, 8, 1},
               {1, 1, 2, 2, 5, 5, 6,  6,  1, 1, 2, 2, 5, 5, 6,  6,  //
                3, 3, 6, 6, 7, 7, 10, 10, 3, 3, 6, 6, 7, 7, 10, 10});
  nn::ResBlock<B> const wider{init, {.in = 1, .out = 2, .embedding = 1, .groups = 1}};
  auto const leaves = leaves_of(wider);
  CHECK(leaves.size() == 12);
  CHECK(leaves.back() == std::pair<std::string, Shape>{"skip.bias", {2}});
}

}  // namespace diffsiam::test
