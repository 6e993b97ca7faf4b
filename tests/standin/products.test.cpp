// How many products the Cuda backend queues for a batch, and that they are right however the batch lies in
// memory.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include <tests/standin/device/device.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/attention.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

namespace {

/// The result of attention over six positions of `samples` samples, and the gradient of its input.
template <class B>
std::vector<double> attend(Index samples, Index heads) {
  typename B::Context context;
  Shape const shape{samples, 3, 2, 3 * 4 * heads};
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<double>(i * i % 1009));
  Tape<B> tape{context};
  auto const x = tape.variable(Tensor<B>::from(context, shape, values));
  auto const y = ops::attention(x, heads);
  auto result = y.value().template values<double>();
  tape.backward(y, y.value());
  std::ranges::copy(x.gradient().template values<double>(), std::back_inserter(result));
  return result;
}

/// What is queued for it.
std::size_t launches(Index samples, Index heads) {
  standin::device().restart();
  std::size_t const before = standin::device().launches;
  (void)attend<backend::Cuda<float>>(samples, heads);
  return standin::device().launches - before;
}

}  // namespace

TEST_CASE("Attention of more samples, or of more heads of a sample, takes no more products", "[products]") {
  for (Index const heads : {Index{1}, Index{2}}) {
    CAPTURE(heads);
    CHECK(launches(7, heads) == launches(3, heads));
  }
  CHECK(launches(2, 9) == launches(2, 4));
  // Two products forward and four backward; each further head is a call of each.
  CHECK(launches(7, 2) == launches(7, 1) + 6);
}

TEST_CASE("Attention is that of the reference whichever extent of its batch is the longer", "[products]") {
  auto const [samples, heads] = GENERATE(std::pair{5, 1}, std::pair{5, 2}, std::pair{2, 3}, std::pair{1, 2});
  CAPTURE(samples, heads);
  standin::device().restart();
  auto const got = attend<backend::Cuda<float>>(samples, heads);
  auto const expected = attend<backend::Reference<double>>(samples, heads);
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - expected[i]) < 1e-5);
}

}  // namespace diffsiam::test
