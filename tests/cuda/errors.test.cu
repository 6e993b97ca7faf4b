// What goes wrong on a device is said, and the process goes on.
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::test {

using B = backend::Cuda<float>;

TEST_CASE("A device that is not there is named", "[errors]") {
  CHECK_THROWS_WITH((backend::CudaContext{{.device = 4096}}),
                    contains("a device in [0, ") && contains("4096"));
  CHECK_THROWS_AS((backend::CudaContext{{.device = -1}}), DeviceError);
}

TEST_CASE("Out of memory says what was asked and what is free, and leaves the context usable", "[errors]") {
  B::Context context;
  CHECK_THROWS_WITH((Tensor<B>{context, {Index{1} << 40}}),
                    contains("4398046511104 bytes") && contains("free of") && contains("smaller batch"));
  CHECK(Tensor<B>::filled(context, {3}, 2.0F).values() == std::vector<float>{2, 2, 2});
}

TEST_CASE("Memory is used again and counted", "[errors]") {
  B::Context context;
  {
    Tensor<B> const first = Tensor<B>::zeros(context, {1 << 20});
  }
  auto const reserved = context.memory().reserved_bytes();
  {
    Tensor<B> const second = Tensor<B>::zeros(context, {1 << 20});
  }
  CHECK(context.memory().reserved_bytes() == reserved);
  CHECK(context.memory().live_bytes() == 0);
  context.synchronise();
  context.memory().trim();
  CHECK(context.memory().reserved_bytes() == 0);
}

}  // namespace diffsiam::test
