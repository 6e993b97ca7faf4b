// The kernels of the Cuda backend that read and write 16 bits, without a GPU: stepped through on the host.
#include <tests/conformance/check.hpp>

#include <diffsiam/testing/stepped_mixed.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("The mixed kernels of the Cuda backend, stepped through on the host, conform",
                   "[conformance]", BFloat16, Half) {
  conforms<testing::SteppedMixed<TestType>>();
}

TEMPLATE_TEST_CASE("Mixed kernels widen what they read and round what they write, packed or not", "",
                   BFloat16, Half) {
  using B = testing::SteppedMixed<TestType>;
  typename B::Context context;
  // Rows of a multiple of eight go in packs; others, and those that start at an odd place, one by one.
  for (Index const size : {Index{64}, Index{63}})
    for (Index const from : {Index{0}, Index{1}}) {
      CAPTURE(size, from);
      std::vector<TestType> x(80), y(80);
      std::vector<float> more(80, 0.1F), full(80, -1.0F);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = TestType(0.37F * static_cast<float>(i));
      SampleGrid const all{1, 1, size};
      MixedPointer<float, TestType> const out{nullptr, y.data() + from}, in{nullptr, x.data() + from};
      MixedPointer<float, TestType> const factor{more.data() + from};
      B::for_each(context, all.grid(), functional::Multiply{}, all.full(out), all.full(in), all.full(factor));
      B::copy(context, in, full.data() + from, size);
      for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(from + size); ++i) {
        CHECK(y[i].bits == TestType(static_cast<float>(x[i]) * 0.1F).bits);
        CHECK(full[i] == static_cast<float>(x[i]));
      }
      CHECK(full[static_cast<std::size_t>(from + size)] == -1);
    }
}

}  // namespace diffsiam::test
