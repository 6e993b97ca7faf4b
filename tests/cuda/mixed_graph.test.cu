// Training steps in 16 bits as CUDA graphs: what replays leave is what ordinary steps leave.
#include <cstddef>
#include <optional>
#include <type_traits>

#include <tests/support/catch.hpp>
#include <tests/train/recorded_run.hpp>

#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Replays of a graph in 16 bits leave what ordinary steps leave", "[graph]", BFloat16,
                   Half) {
  using B = backend::Cuda<TestType>;
  std::optional<train::LossScaler::Config> scaling;
  if constexpr (std::is_same_v<TestType, Half>) scaling.emplace();
  RecordedRun<B> ordinary{16, scaling}, replayed{16, scaling};
  auto const [expected, actual] = step_both_ways(ordinary, replayed, 20);
  CHECK(replayed.recorded.recorded());
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) CHECK(actual[i] == Approx(expected[i]).epsilon(1e-2));
}

}  // namespace diffsiam::test
