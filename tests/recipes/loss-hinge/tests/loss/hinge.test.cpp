#include <tests/support/catch.hpp>

#include <diffsiam/loss/hinge.hpp>
#include <diffsiam/testing/both_backends.hpp>

namespace diffsiam::test {

TEST_CASE("The hinge loss of known scores") {
  using B = backend::Reference<double>;
  B::Context context;
  std::vector<double> const scores{2, 0.5, -1}, targets{1, 1, -1};
  auto const loss = loss::Hinge{}(Tensor<B>::from(context, {3}, std::span<double const>{scores}),
                                  Tensor<B>::from(context, {3}, std::span<double const>{targets}));
  CHECK(static_cast<double>(loss.item()) == Approx((0 + 0.5 + 0) / 3));
}

TEST_CASE("The gradient of the hinge loss is right on Reference and on Cpu") {
  auto const tested = testing::op_case(
      "Hinge", {{3, 4}}, {{testing::Kind::normal, {3, 4}}},
      [](auto const& scores, auto const& targets) { return loss::Hinge{}(scores, targets); });
  CHECK(testing::check_gradients(tested).passed());
}

TEST_CASE("The hinge loss refuses targets of another shape") {
  using B = backend::Reference<double>;
  B::Context context;
  CHECK_THROWS_WITH(loss::Hinge{}(Tensor<B>::zeros(context, {3}), Tensor<B>::zeros(context, {4})),
                    contains("Hinge") && contains("(3)") && contains("(4)"));
}

}  // namespace diffsiam::test
