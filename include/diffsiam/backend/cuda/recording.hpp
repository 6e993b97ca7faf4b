// Recording: a CUDA graph of what was queued on a stream, and the memory that it works in.
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

/// What `work` queues on the stream, which is not done. Throws what `work` throws, and DeviceError.
[[nodiscard]] inline Graph capture(cudaStream_t stream, FunctionRef<void()> work) {
  // Relaxed: memory may be taken from the device meanwhile.
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

/// Its context must outlive it.
class Recording {
 public:
  /// `memory` is where the graph's temporary tensors lie: in nobody else's way as long as it may be replayed.
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
    // Memory must not go while it is used.
    if (graph_ != nullptr) (void)cudaStreamSynchronize(stream_);
  }

  /// Queues all that was recorded.
  void replay() const { check(cudaGraphLaunch(graph_.get(), stream_), "replay"); }
  /// Device memory that it has to itself.
  [[nodiscard]] std::size_t reserved_bytes() const { return memory_->reserved_bytes(); }

 private:
  cudaStream_t stream_;
  std::shared_ptr<MemoryPool> memory_;
  Owned<cudaGraphExec_t, &cudaGraphExecDestroy> graph_;
};

}  // namespace diffsiam::backend::cuda
