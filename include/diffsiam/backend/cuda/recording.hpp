// Recording: a CUDA graph of work that was queued on a stream, and the memory that it uses.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <cuda_runtime_api.h>

#include <diffsiam/backend/cuda/check.hpp>
#include <diffsiam/backend/cuda/owned.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/memory_pool.hpp>

namespace diffsiam::backend::cuda {

using Graph = Owned<cudaGraph_t, &cudaGraphDestroy>;

/// Throws DeviceError for a driver, as cudaDriverGetVersion numbers them, that does not load kernels while
/// work is recorded. A kernel is loaded when it is first launched (since CUDA 12.2), and some run only in
/// recordings. Drivers for CUDA 12.3 and newer load them there, as NVIDIA's Warp says of its own recordings.
inline void require_recording_driver(int version) {
  constexpr int oldest = 12030;
  if (version < oldest)
    fail<DeviceError>("record", "a driver for CUDA 12.3 or newer",
                      {"one for CUDA ", version / 1000, ".", version % 1000 / 10},
                      "train::TrainStep does the same steps without a recording");
}

/// Records what `work` queues on the stream, without doing it. Throws what `work` throws, and DeviceError.
[[nodiscard]] inline Graph capture(cudaStream_t stream, FunctionRef<void()> work) {
  // Relaxed, because memory may be allocated on the device meanwhile.
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "record");
  cudaGraph_t graph = nullptr;
  try {
    work();
  } catch (...) {
    if (cudaStreamEndCapture(stream, &graph) == cudaSuccess) (void)cudaGraphDestroy(graph);
    (void)cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "record");
  return Graph{graph};
}

/// A recording that can be replayed. Its context must outlive it.
class Recording {
 public:
  /// `memory` holds the temporary tensors of the graph. Nothing else uses it while the graph can be replayed.
  Recording(cudaStream_t stream, Graph const& graph, std::shared_ptr<MemoryPool> memory)
      : stream_(stream), memory_(std::move(memory)) {
    cudaGraphExec_t made = nullptr;
    check(cudaGraphInstantiate(&made, graph.get(), 0), "record");
    graph_.reset(made);
    check(cudaGraphUpload(made, stream), "record");
  }
  Recording(Recording&&) = default;
  Recording& operator=(Recording&&) = delete;
  ~Recording() {
    // Memory must not be released while it is used.
    if (graph_ != nullptr) (void)cudaStreamSynchronize(stream_);
  }

  /// Queues everything that was recorded.
  void replay() const { check(cudaGraphLaunch(graph_.get(), stream_), "replay"); }
  /// Bytes of device memory that only this recording uses.
  [[nodiscard]] std::size_t reserved_bytes() const { return memory_->reserved_bytes(); }

 private:
  cudaStream_t stream_;
  std::shared_ptr<MemoryPool> memory_;
  Owned<cudaGraphExec_t, &cudaGraphExecDestroy> graph_;
};

}  // namespace diffsiam::backend::cuda
