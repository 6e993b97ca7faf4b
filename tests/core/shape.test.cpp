#include <tests/support/catch.hpp>

#include <diffsiam/core/products.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::test {

TEST_CASE("A shape knows its parts") {
  constexpr Shape image{2, 3, 4, 5};
  static_assert(image.size() == 120 && image.rank() == 4);
  CHECK(image.samples() == 2);
  CHECK(image.positions() == 12);
  CHECK(image.channels() == 5);
  CHECK(image[-1] == 5);
  CHECK(image[-4] == 2);
  CHECK(image.with_channels(7) == Shape{2, 3, 4, 7});
  CHECK(to_string(image) == "(2, 3, 4, 5)");
}

TEST_CASE("A scalar has one element, and shapes of other ranks are not equal to it") {
  Shape const scalar{};
  CHECK(scalar.size() == 1);
  CHECK(scalar.samples() == 1);
  CHECK(scalar.channels() == 1);
  CHECK(to_string(scalar) == "()");
  CHECK(scalar != Shape{1});
  CHECK(Shape{1, 2} != Shape{1, 2, 1});
  CHECK(Shape{0, 3}.size() == 0);
}

TEST_CASE("Extents that cannot be are refused") {
  CHECK_THROWS_AS((Shape{1, 2, 3, 4, 5}), ShapeError);
  CHECK_THROWS_AS((Shape{2, -1}), ShapeError);
}

TEST_CASE("Requirements name operation, expectation, what came, and the hint") {
  CHECK_THROWS_WITH(require_shape("op", {2, 3}, {2, 4}, "a hint"),
                    contains("op: expected (2, 3), got (2, 4)") && contains("a hint"));
  CHECK_THROWS_WITH(require_rank("op", 2, {2, 3, 4}, "(n, c)"),
                    contains("rank 2 (n, c)") && contains("(2, 3, 4)"));
  CHECK_NOTHROW(require_shape("op", {2}, {2}));
}

TEST_CASE("A convolution keeps the side at stride 1 and halves it, rounded up, at stride 2") {
  for (Index kernel : {1, 3, 5}) {
    for (Index side : {1, 2, 5, 8}) {
      CHECK(ConvGeometry{1, side, side, 1, 1, kernel, 1}.out_h() == side);
      CHECK(ConvGeometry{1, side, side, 1, 1, kernel, 2}.out_w() == (side + 1) / 2);
    }
  }
}

}  // namespace diffsiam::test
