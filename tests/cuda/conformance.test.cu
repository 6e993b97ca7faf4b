#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("The Cuda backend conforms to the reference", "[conformance]", float,
                   backend::cuda::TF32) {
  using B = backend::Cuda<TestType>;
  typename B::Context context;
  require_all(testing::run_conformance<B>(context));
}

}  // namespace diffsiam::test
