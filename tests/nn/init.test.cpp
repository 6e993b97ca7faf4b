#include <algorithm>
#include <cmath>

#include <tests/nn/weights.hpp>

#include <diffsiam/nn/init.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Weights begin within 1/sqrt(fan in), by their place and the seed", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  auto const first = init.uniform({40, 25}, 25).value().template values<double>();
  double greatest = 0, mean = 0;
  for (double const value : first) {
    greatest = std::max(greatest, std::abs(value));
    mean += value / 1000;
  }
  CHECK(greatest <= 0.2);
  CHECK(greatest > 0.19);
  CHECK(std::abs(mean) < 5 * 0.2 / std::sqrt(3000));
  CHECK(init.uniform({40, 25}, 25).value().template values<double>() != first);
  CHECK(nn::Init<B>{make.context, 1}.uniform({40, 25}, 25).value().template values<double>() == first);
  CHECK(nn::Init<B>{make.context, 2}.uniform({40, 25}, 25).value().template values<double>() != first);
  check_values(init.constant({2}, 3).value(), {2}, {3, 3});
}

}  // namespace diffsiam::test
