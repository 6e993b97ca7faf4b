// Mistakes that a backend can make, planted here one by one: each shows on the stand-in. Beside each stands
// the right way, which works.
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include <cuda_runtime_api.h>
#include <tests/standin/device/device.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cuda.cuh>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::test {

namespace {

namespace cuda = backend::cuda;
using B = backend::Cuda<float>;
using standin::device;

/// A device that earlier tests have not broken, and leaves one.
struct Fresh {
  Fresh() { device().restart(); }
  Fresh(Fresh const&) = delete;
  Fresh& operator=(Fresh const&) = delete;
  ~Fresh() { device().restart(); }
};

/// Memory of cudaMalloc.
class Block {
 public:
  explicit Block(std::size_t bytes) { REQUIRE(cudaMalloc(&memory_, bytes) == cudaSuccess); }
  Block(Block const&) = delete;
  Block& operator=(Block const&) = delete;
  ~Block() { release(); }
  void release() {
    if (memory_ != nullptr) (void)cudaFree(std::exchange(memory_, nullptr));
  }
  [[nodiscard]] float* floats() const { return static_cast<float*>(memory_); }

 private:
  void* memory_ = nullptr;
};

/// to[i] = from[i] + added.
struct CopyAdded {
  struct Shared {};
  static constexpr bool synchronises = false;
  float const* from;
  float* to;
  Index size;
  float added;

  template <cuda::Lane L>
  void operator()(L& lane, Shared&) const {
    Index const i = lane.block() * cuda::block_threads + lane.thread();
    if (i < size) to[i] = from[i] + added;
  }
};

/// Every thread writes its number and reads that of another one, with or without the barrier between both.
template <bool Waits>
struct ReadNeighbour {
  struct Shared {
    float value[cuda::block_threads];
  };
  static constexpr bool synchronises = true;
  float* to;
  int distance;

  template <cuda::Lane L>
  void operator()(L& lane, Shared& shared) const {
    shared.value[lane.thread()] = static_cast<float>(lane.thread());
    if constexpr (Waits) lane.sync();
    int const other = (lane.thread() + distance + cuda::block_threads) % cuda::block_threads;
    to[lane.block() * cuda::block_threads + lane.thread()] = shared.value[other];
  }
};

/// Half of the block waits for the other half, which does not come.
struct HalfWaits {
  struct Shared {};
  static constexpr bool synchronises = true;
  template <cuda::Lane L>
  void operator()(L& lane, Shared&) const {
    if (lane.thread() < cuda::block_threads / 2) lane.sync();
  }
};

struct FourFloats {
  struct Shared {};
  static constexpr bool synchronises = false;
  float* to;
  template <cuda::Lane L>
  void operator()(L& lane, Shared&) const {
    if (lane.thread() == 0) *reinterpret_cast<cuda::Pack<float, 4>*>(to) = {};
  }
};

[[nodiscard]] float* floats(std::shared_ptr<void> const& memory) {
  return static_cast<float*>(memory.get());
}

}  // namespace

TEST_CASE("A host that does not wait for a copy reads what nobody wrote", "[faults]") {
  Fresh const fresh;
  B::Context context;
  auto const x = Tensor<B>::filled(context, {4}, 2.0F);
  void* memory = nullptr;
  REQUIRE(cudaMallocHost(&memory, 16) == cudaSuccess);
  auto const* const values = static_cast<float const*>(memory);
  REQUIRE(cudaMemcpyAsync(memory, x.data(), 16, cudaMemcpyDeviceToHost, context.stream()) == cudaSuccess);
  CHECK(std::isnan(values[0]));
  context.synchronise();
  CHECK(values[0] == 2);
  (void)cudaFreeHost(memory);
}

TEST_CASE("A stream that does not wait for another one computes with what is not there", "[faults]") {
  Fresh const fresh;
  bool const waits = GENERATE(false, true);
  B::Context context, other;
  auto const from = context.allocate(64), to = context.allocate(64);
  cuda::Event const arrived = cuda::make_handle<cuda::Event, &cuda::create_event>("test");
  cuda::Stream::launch(context, 1, cuda::WriteConstants<float>{{1, 2, 3}, floats(from), 3});
  REQUIRE(cudaEventRecord(arrived.get(), context.stream()) == cudaSuccess);
  if (waits) REQUIRE(cudaStreamWaitEvent(other.stream(), arrived.get(), 0) == cudaSuccess);
  cuda::Stream::launch(other, 1, CopyAdded{floats(from), floats(to), 3, 1});
  std::array<float, 3> result{};
  B::download(other, floats(to), result.data(), 3);
  CHECK(std::isnan(result[0]) == !waits);
  CHECK((result[2] == 4) == waits);
}

TEST_CASE("Memory that is used after it was released is named", "[faults]") {
  Fresh const fresh;
  bool const waits = GENERATE(false, true);
  B::Context context;
  Block from{1024};
  Block const to{1024};
  cuda::Stream::launch(context, 1, CopyAdded{from.floats(), to.floats(), 256, 1});
  if (waits) context.synchronise();
  from.release();
  if (waits) {
    CHECK_NOTHROW(context.synchronise());
  } else {
    CHECK_THROWS_WITH(context.synchronise(), contains("cudaErrorIllegalAddress") &&
                                                 contains("byte 0 of a released block of 1024 bytes"));
    // As on a device, nothing works from here on.
    CHECK_THROWS_AS(Tensor<B>::filled(context, {1}, 1.0F), DeviceError);
  }
}

TEST_CASE("What lies beside a block is not touched unnoticed", "[faults]") {
  Fresh const fresh;
  B::Context context;
  Block const memory{1000};
  auto* const x = memory.floats();
  SECTION("far behind it") {
    cuda::Stream::launch(context, 2, CopyAdded{x, x + 1, 270, 1});
    CHECK_THROWS_WITH(context.synchronise(), contains("bytes behind a block of 1000 bytes"));
  }
  SECTION("within the last 256 bytes") {
    cuda::Stream::launch(context, 1, CopyAdded{x, x + 1, 250, 1});
    CHECK_THROWS_WITH(context.synchronise(), contains("beside a block of 1000 bytes"));
  }
  SECTION("before it") {
    cuda::Stream::launch(context, 1, CopyAdded{x, x - 1, 1, 1});
    CHECK_THROWS_WITH(context.synchronise(), contains("beside a block of 1000 bytes"));
  }
  SECTION("by a copy") {
    CHECK(cudaMemcpyAsync(x, x + 1, 1000, cudaMemcpyDeviceToDevice, context.stream()) ==
          cudaErrorInvalidValue);
  }
}

TEST_CASE("Memory of the host is none of the device, and the other way round", "[faults]") {
  Fresh const fresh;
  B::Context context;
  float value = 1;
  auto const memory = context.allocate(4);
  CHECK(cudaMemcpyAsync(memory.get(), &value, 4, cudaMemcpyDeviceToDevice, context.stream()) ==
        cudaErrorInvalidValue);
  CHECK(cudaMemcpyAsync(&value, memory.get(), 4, cudaMemcpyHostToDevice, context.stream()) ==
        cudaErrorInvalidValue);
  CHECK_FALSE(device().memory.is_open());
}

TEST_CASE("Fresh memory is nothing that a result may contain", "[faults]") {
  Fresh const fresh;
  B::Context context;
  for (float const value : Tensor<B>{context, {1000}}.values()) CHECK(std::isnan(value));
}

TEST_CASE("Values of 16 bytes are not read at other addresses", "[faults]") {
  Fresh const fresh;
  Index const offset = GENERATE(0, 1, 4);
  B::Context context;
  auto const memory = context.allocate(256);
  cuda::Stream::launch(context, 1, FourFloats{floats(memory) + offset});
  if (offset % 4 == 0)
    CHECK_NOTHROW(context.synchronise());
  else
    CHECK_THROWS_WITH(context.synchronise(), contains("cudaErrorMisalignedAddress"));
}

TEST_CASE("A barrier that is missing shows, whichever neighbour is read", "[faults]") {
  Fresh const fresh;
  int const distance = GENERATE(1, -1);
  B::Context context;
  constexpr Index blocks = 2, size = blocks * cuda::block_threads;
  Tensor<B> const x{context, {size}};
  cuda::Stream::launch(context, blocks, ReadNeighbour<true>{x.data(), distance});
  for (float const value : x.values()) CHECK_FALSE(std::isnan(value));
  cuda::Stream::launch(context, blocks, ReadNeighbour<false>{x.data(), distance});
  int missing = 0;
  for (float const value : x.values()) missing += std::isnan(value) ? 1 : 0;
  CHECK(missing > 0);
}

TEST_CASE("A barrier that a part of the block does not reach is an error", "[faults]") {
  Fresh const fresh;
  B::Context context;
  cuda::Stream::launch(context, 1, HalfWaits{});
  CHECK_THROWS_WITH(context.synchronise(),
                    contains("cudaErrorLaunchFailure") && contains("whole block to synchronise"));
}

TEST_CASE("A launch of no block, which CUDA refuses, is none", "[faults]") {
  Fresh const fresh;
  B::Context context;
  auto const before = standin::device().launches;
  cuda::Stream::launch(context, 0, HalfWaits{});
  CHECK(standin::device().launches == before);
  context.synchronise();
}

}  // namespace diffsiam::test
