#include <tests/support/catch.hpp>

#include <diffsiam/ops/softsign.hpp>
#include <diffsiam/testing/both_backends.hpp>

namespace diffsiam::test {

TEST_CASE("softsign of known values") {
  using B = backend::Reference<double>;
  B::Context context;
  std::vector<double> const values{-3, 0, 1};
  auto const x = Tensor<B>::from(context, {3}, std::span<double const>{values});
  CHECK(ops::softsign(x).values<double>() == std::vector<double>{-0.75, 0, 0.5});
}

TEST_CASE("The gradient of softsign is right on Reference and on Cpu") {
  auto const tested = testing::op_case("softsign", {{3, 4}}, [](auto const& x) { return ops::softsign(x); });
  CHECK(testing::check_gradients(tested).passed());
}

}  // namespace diffsiam::test
