// Mistakes around captures and graphs, planted one by one.
#include <vector>

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

/// A capture on a stream, which is ended in any case.
class Begun {
 public:
  Begun(cudaStream_t stream, cudaStreamCaptureMode mode) : stream_(stream) {
    device().restart();
    REQUIRE(cudaStreamBeginCapture(stream, mode) == cudaSuccess);
  }
  Begun(Begun const&) = delete;
  Begun& operator=(Begun const&) = delete;
  ~Begun() {
    if (!ended_) (void)end();
  }
  /// The error with which it ends.
  cudaError_t end() {
    ended_ = true;
    cudaGraph_t graph = nullptr;
    cudaError_t const error = cudaStreamEndCapture(stream_, &graph);
    if (graph != nullptr) (void)cudaGraphDestroy(graph);
    (void)cudaGetLastError();
    return error;
  }

 private:
  cudaStream_t stream_;
  bool ended_ = false;
};

}  // namespace

TEST_CASE("Waiting within a capture is refused, and spoils it", "[faults]") {
  B::Context context;
  auto const event = cuda::make_handle<cuda::Event, &cuda::create_event>("test");
  Begun begun{context.stream(), cudaStreamCaptureModeRelaxed};
  SECTION("for the stream") {
    CHECK(cudaStreamSynchronize(context.stream()) == cudaErrorStreamCaptureUnsupported);
  }
  SECTION("for the device") {
    CHECK(cudaDeviceSynchronize() == cudaErrorStreamCaptureUnsupported);
  }
  SECTION("for an event of the capture") {
    REQUIRE(cudaEventRecord(event.get(), context.stream()) == cudaSuccess);
    CHECK(cudaEventSynchronize(event.get()) == cudaErrorCapturedEvent);
  }
  SECTION("for an answer of the device") {
    auto const memory = context.allocate(4);
    float value = 0;
    CHECK(cudaMemcpyAsync(&value, memory.get(), 4, cudaMemcpyDeviceToHost, context.stream()) ==
          cudaErrorStreamCaptureUnsupported);
  }
  CHECK(begun.end() == cudaErrorStreamCaptureInvalidated);
}

TEST_CASE("Memory is taken within a capture only if it is relaxed", "[faults]") {
  B::Context context;
  auto const mode =
      GENERATE(cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal, cudaStreamCaptureModeRelaxed);
  bool const relaxed = mode == cudaStreamCaptureModeRelaxed;
  Begun begun{context.stream(), mode};
  void* memory = nullptr;
  CHECK((cudaMalloc(&memory, 64) == cudaSuccess) == relaxed);
  CHECK(begun.end() == (relaxed ? cudaSuccess : cudaErrorStreamCaptureInvalidated));
}

TEST_CASE("Work on the legacy stream is refused while a stream that blocks it is captured", "[faults]") {
  B::Context context;
  auto const memory = context.allocate(64);
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreate(&stream) == cudaSuccess);
  {
    Begun begun{stream, cudaStreamCaptureModeRelaxed};
    CHECK(cudaMemcpyAsync(memory.get(), memory.get(), 4, cudaMemcpyDeviceToDevice, nullptr) ==
          cudaErrorStreamCaptureImplicit);
    CHECK(begun.end() == cudaErrorStreamCaptureInvalidated);
  }
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("A second stream of a capture must be joined again", "[faults]") {
  bool const joins = GENERATE(false, true);
  B::Context context, other;
  auto const fork = cuda::make_handle<cuda::Event, &cuda::create_event>("test");
  auto const join = cuda::make_handle<cuda::Event, &cuda::create_event>("test");
  auto const memory = context.allocate(64);
  Begun begun{context.stream(), cudaStreamCaptureModeRelaxed};
  REQUIRE(cudaEventRecord(fork.get(), context.stream()) == cudaSuccess);
  REQUIRE(cudaStreamWaitEvent(other.stream(), fork.get(), 0) == cudaSuccess);
  cuda::Stream::launch(other, 1, cuda::WriteConstants<float>{{1}, static_cast<float*>(memory.get()), 1});
  REQUIRE(cudaEventRecord(join.get(), other.stream()) == cudaSuccess);
  if (joins) REQUIRE(cudaStreamWaitEvent(context.stream(), join.get(), 0) == cudaSuccess);
  CHECK(begun.end() == (joins ? cudaSuccess : cudaErrorStreamCaptureUnjoined));
  // An event of the capture is of no use after it.
  CHECK(cudaEventSynchronize(join.get()) == cudaErrorCapturedEvent);
  CHECK(cudaStreamWaitEvent(context.stream(), join.get(), 0) == cudaErrorCapturedEvent);
  (void)cudaGetLastError();
}

TEST_CASE("A value that the host changes after the recording is stale in the graph", "[faults]") {
  device().restart();
  B::Context context;
  Tensor<B> const x = Tensor<B>::zeros(context, {1}), fed = Tensor<B>::filled(context, {1}, 1.0F);
  float value = 1;
  bool const feeds = GENERATE(false, true);  // the right way: the value is in memory of the device
  auto const recording = context.record(nullptr, [&] {
    if (feeds)
      x.assign(fed);
    else
      B::upload(context, &value, x.data(), 1);
  });
  CHECK(x.item() == 0);
  recording.replay();
  CHECK(x.item() == 1);
  value = 2;
  B::upload(context, &value, fed.data(), 1);
  recording.replay();
  CHECK(x.item() == (feeds ? 2.0F : 1.0F));
}

}  // namespace diffsiam::test
