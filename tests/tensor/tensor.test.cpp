#include <numeric>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;

Tensor<B> counted(B::Context& context, Shape const& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.size()));
  std::iota(values.begin(), values.end(), 0.0F);
  return Tensor<B>::from(context, shape, std::span<float const>(values));
}

TEST_CASE("A tensor is made of a vector or of numbers written out") {
  B::Context context{{.threads = 1}};
  std::vector<double> const values{1, 2, 3, 4};
  CHECK(Tensor<B>::from(context, {2, 2}, values).values() == std::vector<float>{1, 2, 3, 4});
  CHECK(Tensor<B>::from(context, {2, 1}, {0.5, -1}).values() == std::vector<float>{0.5F, -1});
  CHECK_THROWS_WITH(Tensor<B>::from(context, {2}, {1, 2, 3}), contains("Tensor::assign: expected 2 values"));
  CHECK_THROWS_WITH(Tensor<B>::from(context, {5}, values), contains("expected 5 values for (5), got 4"));
}

TEST_CASE("Copies share memory, clones do not") {
  B::Context context{{.threads = 1}};
  Tensor<B> const x = counted(context, {2, 3});
  Tensor<B> const copy = x, clone = x.clone();
  x.fill(7);
  CHECK(copy.values() == std::vector<float>(6, 7));
  CHECK(clone.values() == std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("The last handle returns the memory, though the context went before") {
  Tensor<B> x;
  {
    B::Context context{{.threads = 1}};
    x = counted(context, {1000});
    CHECK(context.memory().live_bytes() >= 4000);
    {
      Tensor<B> const other = x;
    }
    CHECK(context.memory().live_bytes() >= 4000);
    Tensor<B> const short_lived{context, {1000}};
  }
  CHECK(x.data()[999] == 999);
}

TEST_CASE("A view under another shape has the same elements in the same order") {
  B::Context context{{.threads = 1}};
  Tensor<B> const x = counted(context, {2, 3});
  CHECK(x.reshaped({3, 2}).values() == x.values());
  CHECK(x.reshaped({6}).data() == x.data());
  CHECK_THROWS_WITH(x.reshaped({4}), contains("reshape") && contains("6 elements") && contains("(4)"));
}

TEST_CASE("Samples of a batch are a view, for every rank") {
  B::Context context{{.threads = 1}};
  for (Shape const& shape : {Shape{4}, Shape{4, 3}, Shape{4, 3, 2}, Shape{4, 3, 2, 5}}) {
    Tensor<B> const x = counted(context, shape);
    Tensor<B> const part = x.samples(1, 3);
    Index const each = x.size() / 4;
    CHECK(part.shape().rank() == shape.rank());
    CHECK(part.shape().samples() == 2);
    CHECK(part.size() == 2 * each);
    CHECK(part.data() == x.data() + each);
  }
  Tensor<B> const x = counted(context, {4, 3});
  CHECK(x.samples(2, 2).size() == 0);
  CHECK_THROWS_WITH(x.samples(2, 5), contains("samples") && contains("4") && contains("2 .. 5"));
  CHECK_THROWS_AS(x.samples(-1, 2), RangeError);
  CHECK_THROWS_AS(x.samples(3, 2), RangeError);
}

TEST_CASE("Host values are converted on the way in and out") {
  B::Context context{{.threads = 1}};
  std::vector<std::uint8_t> const bytes{0, 128, 255};
  auto const x = Tensor<B>::from(context, {3}, std::span<std::uint8_t const>(bytes));
  CHECK(x.values() == std::vector<float>{0, 128, 255});
  CHECK(x.values<double>() == std::vector<double>{0, 128, 255});
  CHECK(x.samples(1, 2).item() == 128);
}

TEST_CASE("Counts that differ are refused") {
  B::Context context{{.threads = 1}};
  std::vector<float> const values(5);
  CHECK_THROWS_WITH(Tensor<B>::from(context, {2, 3}, std::span<float const>(values)),
                    contains("Tensor::assign") && contains("6 values") && contains("5"));
  CHECK_THROWS_WITH(counted(context, {2}).item(), contains("Tensor::item") && contains("(2)"));
  CHECK_THROWS_WITH(counted(context, {2, 3}).assign(counted(context, {3, 2})),
                    contains("Tensor::assign") && contains("(2, 3)") && contains("(3, 2)"));
}

TEST_CASE("Borrowed memory is read and written in place") {
  B::Context context{{.threads = 1}};
  float mine[4] = {1, 2, 3, 4};
  auto const x = Tensor<B>::borrowed(context, {2, 2}, mine);
  CHECK(x.values() == std::vector<float>{1, 2, 3, 4});
  x.fill(9);
  CHECK(mine[3] == 9);
  CHECK_FALSE(Tensor<B>{});
  CHECK(x);
}

TEST_CASE("A tensor without elements is a tensor") {
  B::Context context{{.threads = 1}};
  Tensor<B> const x{context, {0, 5}};
  CHECK(x);
  CHECK(x.values().empty());
  CHECK(Tensor<B>::zeros(context, {}).item() == 0);
}

}  // namespace diffsiam::test
