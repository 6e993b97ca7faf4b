#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::test {

TEST_CASE("The mean squared error is a mean over all elements") {
  using B = backend::Cpu<float>;
  B::Context context{{.threads = 1}};
  std::vector<float> const a{1, 2, 3, 4}, b{0, 2, 5, 8};
  auto const x = Tensor<B>::from(context, {2, 2}, std::span{a});
  auto const y = Tensor<B>::from(context, {2, 2}, std::span{b});
  loss::MeanSquaredError const error;
  CHECK(error(x, y).shape() == Shape{});
  CHECK(error(x, y).item() == (1 + 0 + 4 + 16) / 4.0F);
  CHECK_THROWS_WITH(error(x, y.reshaped({4})), contains("(2, 2)") && contains("(4)"));
  CHECK_THROWS_WITH(error(x.reshaped({4}).samples(0, 1).reshaped({}), Tensor<B>::zeros(context, {})),
                    contains("MeanSquaredError") && contains("(n, ...)"));
}

}  // namespace diffsiam::test
