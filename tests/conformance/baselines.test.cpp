#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/testing/cases/baselines.hpp>

namespace diffsiam::test {

TEST_CASE("Baselines give the same values and gradients on Cpu and Reference", "[conformance]") {
  using B = backend::Cpu<float>;
  B::Context context{{.threads = 2}};
  testing::Bench<B> bench{context};
  // Errors add up over the depth of a network.
  testing::cases::baselines([&](auto const& tested) { testing::check_case(bench, tested, 1e-4); });
  require_all(bench.comparisons());
}

}  // namespace diffsiam::test
