#include <tests/support/values.hpp>

#include <diffsiam/ops/resample.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("resampling repeats pixels, and averages them", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  auto const x = make({1, 1, 2, 2}, {1, 2, 3, 4});
  auto const large = ops::upsample_nearest(x);
  check_values(large, {1, 2, 4, 2}, {1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4});
  check_values(ops::downsample_mean(large), {1, 1, 2, 2}, {1, 2, 3, 4});
  check_values(ops::downsample_mean(make({1, 2, 2, 1}, {1, 2, 3, 6})), {1, 1, 1, 1}, {3});
}

}  // namespace diffsiam::test
