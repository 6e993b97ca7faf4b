#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
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

TEST_CASE("A case whose gradient ends on the way fails, for it tests nothing", "[conformance]") {
  using B = backend::Cpu<float>;
  B::Context context;
  testing::Bench<B> bench{context};
  testing::check_case(bench, testing::op_case("dead", {{3}}, [](auto const& x) {
                        return ops::relu(ops::affine(ops::multiply(x, x), -1, -1));
                      }));
  REQUIRE(bench.comparisons().size() == 2);
  CHECK(bench.comparisons()[0].passed());
  CHECK_FALSE(bench.comparisons()[1].passed());
}

TEST_CASE("A gradient that is rounding alone is compared with the largest of its case", "[conformance]") {
  auto const error = [](double ours, double reference, double scale) {
    return testing::compare("gradient", {ours}, {reference}, 1e-5, scale).error;
  };
  CHECK(error(1e-7, 1e-17, 0) > 1e9);
  CHECK(error(1e-7, 1e-17, 2) == Approx(0.5e-7));
  CHECK(error(1e-3, 2e-3, 2) == Approx(0.5));  // no rounding
}

}  // namespace diffsiam::test
