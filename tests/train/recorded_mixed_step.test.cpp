// Training steps in 16 bits that are recorded and replayed, by kernels stepped through on the host.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

#include <tests/support/catch.hpp>
#include <tests/train/recorded_run.hpp>

#include <diffsiam/testing/stepped_mixed.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Replays in 16 bits leave the bits that ordinary steps leave", "", BFloat16, Half) {
  using B = testing::SteppedMixed<TestType>;
  std::optional<train::LossScaler::Config> scaling;
  if constexpr (std::is_same_v<TestType, Half>) scaling.emplace();
  RecordedRun<B> ordinary{16, scaling}, replayed{16, scaling};
  for (std::uint64_t i = 0; i < 6; ++i) {
    ordinary.put(i);
    (void)ordinary.step(ordinary.loss());
    replayed.put(i);
    (void)replayed.recorded(replayed.loss());
  }
  (void)replayed.recorded.finish();
  CHECK(replayed.recorded.recorded());
  CHECK(all_values<B>(replayed.net) == all_values<B>(ordinary.net));
  CHECK(replayed.net(replayed.x.tensor()).values() == ordinary.net(ordinary.x.tensor()).values());
}

}  // namespace diffsiam::test
