#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/testing/cases/layers.hpp>
#include <diffsiam/testing/cases/networks.hpp>

namespace diffsiam::test {

TEST_CASE("Layers and networks give the same values and gradients on Cpu and Reference", "[conformance]") {
  using B = backend::Cpu<float>;
  B::Context context{{.threads = 2}};
  testing::Bench<B> bench{context};
  // Errors add up over the depth of a network.
  auto const check = [&](auto const& tested) { testing::check_case(bench, tested, 1e-4); };
  testing::cases::layers(check);
  testing::cases::blocks(check);
  testing::cases::networks(check);
  testing::cases::encoders(check);
  testing::cases::losses(check);
  require_all(bench.comparisons());
}

}  // namespace diffsiam::test
