#include <tests/nn/weights.hpp>

#include <diffsiam/nn/linear.hpp>
#include <diffsiam/nn/summary.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("A summary counts weights and work without running", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  nn::Linear<B> const layer{init, {.in = 3, .out = 2}};
  nn::Summary const open = nn::summary(layer, Shape{5, 3});
  CHECK(open.output == Shape{5, 2});
  CHECK(open.parameters == 8);
  CHECK(open.trainable == 8);
  CHECK(open.leaves.size() == 2);
  CHECK(open.leaves[0].name == "weight");
  CHECK(open.evaluation.flops == 5 * 2 * 3 * 2);
  CHECK(nn::to_string(open) ==
        "name    shape   numbers  trainable\n"
        "weight  (2, 3)        6  yes\n"
        "bias    (2)           2  yes\n"
        "8 parameters, 8 trainable\n"
        "output (5, 2), 6e-08 GFLOP, " +
            text({// input and output in blocks of 64 bytes
                  std::is_same_v<typename B::Scalar, double> ? "0.000244" : "0.000122"}) +
            " MiB at most\n");
  nn::freeze(layer);
  CHECK(nn::summary(layer, Shape{5, 3}).trainable == 0);
}

}  // namespace diffsiam::test
