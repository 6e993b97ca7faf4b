// Memory that is not ours flows through operations without a copy.
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/value/eigen_tensor.hpp>
#include <diffsiam/value/taped.hpp>

using namespace diffsiam;
using B = backend::Cpu<float>;

TEST_CASE("A span with a shape is borrowed, plain and taped alike") {
  B::Context context{{.threads = 1}};
  std::vector<float> const pixels{1, 2, 3, 4, 5, 6};
  auto const view = borrow<B>(context, {2, 3}, pixels);
  CHECK(view.data() == pixels.data());
  CHECK(ops::scale(view, 2).values() == std::vector<float>{2, 4, 6, 8, 10, 12});
  Tape<B> tape{context};
  auto const variable = tape.variable(view);
  tape.backward(ops::scale(variable, 2), view);
  CHECK(variable.gradient().values() == std::vector<float>{2, 4, 6, 8, 10, 12});
  CHECK_THROWS_WITH(borrow<B>(context, {7}, pixels),
                    test::contains("borrow: expected 7 values for (7), got 6"));
}

TEST_CASE("A row-major Eigen::Tensor is borrowed with its extents") {
  B::Context context{{.threads = 1}};
  Eigen::Tensor<float, 4, Eigen::RowMajor> image(2, 3, 4, 5);
  image.setZero();
  image(1, 2, 3, 4) = 7;
  auto const view = borrow<B>(context, image);
  CHECK(view.shape() == Shape{2, 3, 4, 5});
  CHECK(view.data() == image.data());
  CHECK(view.values().back() == 7);
}
