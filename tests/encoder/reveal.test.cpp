#include <tests/support/values.hpp>

#include <diffsiam/encoder/reveal.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("A time-step reveals its subset of z and those before it", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  // Steps 0 to 4 hold dims 0 and 1, steps 5 to 9 dims 2 and 3.
  auto const partition = encoder::TimestepPartition::uniform({.timesteps = 10, .subsets = 2, .dims = 4});
  auto const z = make({3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  auto const t = make({3}, {0, 5, 4});
  Values const revealed{1, 2, 0, 0, 5, 6, 7, 8, 9, 10, 0, 0};
  check_values(encoder::reveal(partition, z, t), {3, 4}, revealed);

  for (auto const mode : {encoder::GradientMode::joint, encoder::GradientMode::stop_preceding}) {
    Tape<B> tape{make.context};
    auto const variable = tape.variable(z);
    auto const seen = encoder::reveal(partition, variable, t, mode);
    check_values(seen.value(), {3, 4}, revealed);
    tape.backward(seen, Tensor<B>::filled(make.context, {3, 4}, 1));
    bool const joint = mode == encoder::GradientMode::joint;
    double const preceding = joint ? 1 : 0;
    check_values(variable.gradient(), {3, 4}, {1, 1, 0, 0, preceding, preceding, 1, 1, 1, 1, 0, 0});
  }
  CHECK_THROWS_AS(encoder::reveal(partition, z, t, encoder::GradientMode::dual), ConfigError);
  CHECK_THROWS_AS(encoder::reveal(partition, z, make({3}, {0, 10, 4})), RangeError);
  CHECK_THROWS_WITH(encoder::reveal(partition, make({3, 5}, Values(15, 1)), t),
                    contains("reveal") && contains("(3, 5)"));
}

}  // namespace diffsiam::test
