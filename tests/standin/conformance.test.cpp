// The Cuda backend as it is, on the stand-in: the suite of every backend.
#include <tests/conformance/check.hpp>

#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

TEST_CASE("The Cuda backend on the stand-in conforms to the reference", "[conformance]") {
  using B = backend::Cuda<float>;
  typename B::Context context;
  require_all(testing::run_conformance<B>(context));
  CHECK(context.notes().empty());
}

}  // namespace diffsiam::test
