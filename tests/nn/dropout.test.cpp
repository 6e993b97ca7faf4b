#include <cmath>

#include <tests/nn/weights.hpp>

#include <diffsiam/nn/dropout.hpp>
#include <diffsiam/nn/init.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Dropout drops on a training tape alone, and keeps the mean", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  (void)init;
  auto const x = Tensor<B>::filled(make.context, {50, 50}, 1);
  nn::Dropout const layer{0.2};
  CHECK(layer(x).data() == x.data());
  Tape<B> evaluation{make.context, {.mode = Mode::evaluation}};
  CHECK(layer(evaluation.input(x)).value().data() == x.data());
  Tape<B> tape{make.context, {.rng = {.seed = 3}}};
  auto const first = layer(tape.input(x)).value().template values<double>();
  double dropped = 0;
  for (double const value : first) {
    CHECK((value == 0 || value == Approx(1.25)));
    dropped += value == 0 ? 1 : 0;
  }
  CHECK(std::abs(dropped - 500) < 5 * 20);  // deviation sqrt(2500 .2 .8)
  CHECK(layer(tape.input(x)).value().template values<double>() != first);
  CHECK_THROWS_AS(nn::Dropout{1}, ConfigError);
}

}  // namespace diffsiam::test
