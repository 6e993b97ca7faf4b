// The Cuda backend in bfloat16 on the stand-in: the suite of every backend, with plans of cuDNN that write
// float32 from 16 bits and without them.
#include <tests/conformance/check.hpp>
#include <tests/standin/device/dnn.hpp>

#include <diffsiam/backend/cuda.cuh>

namespace diffsiam::test {

TEST_CASE("The Cuda backend in bfloat16 on the stand-in conforms to the reference", "[.mixed]") {
  using B = backend::Cuda<BFloat16>;
  bool const widens = GENERATE(true, false);
  standin::dnn().widens = widens;
  B::Context context;
  require_all(testing::run_conformance<B>(context));
  CHECK(context.notes().empty() == widens);
  standin::dnn().widens = true;
}

}  // namespace diffsiam::test
