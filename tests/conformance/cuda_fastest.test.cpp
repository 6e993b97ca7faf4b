#include <array>
#include <cmath>
#include <limits>
#include <new>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda/fastest.hpp>

namespace diffsiam::test {

using backend::cuda::fastest;

TEST_CASE("The fastest plan is kept, and those that find no memory are passed over") {
  constexpr float never = std::numeric_limits<float>::infinity();
  auto const chosen = [](std::vector<float> const& times) {
    return fastest(times.size(), [&](std::size_t i, float) {
      if (times[i] == never) fail<DeviceError>("allocate", "memory", {"none for ", i});
      return times[i];
    });
  };
  CHECK(chosen({3, 1, 2}) == 1);
  CHECK(chosen({2, 1, 1}) == 1);
  CHECK(chosen({never, 3, never, 2}) == 3);
  CHECK(chosen({1, never}) == 0);
  CHECK_THROWS_WITH(chosen({never, never}), contains("none for 1"));
  CHECK_THROWS_AS(chosen({}), DeviceError);
}

TEST_CASE("A plan is told the best time so far, and other errors end the choice") {
  std::vector<float> told;
  CHECK(fastest(3, [&](std::size_t i, float least) {
          told.push_back(least);
          return std::array{2.0F, 3.0F, 1.0F}[i];
        }) == 2);
  CHECK(std::isinf(told[0]));
  CHECK(told[1] == 2);
  CHECK(told[2] == 2);
  CHECK_THROWS_AS(fastest(2, [](std::size_t, float) -> float { throw std::bad_alloc{}; }), std::bad_alloc);
}

}  // namespace diffsiam::test
