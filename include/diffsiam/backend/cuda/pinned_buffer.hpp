// PinnedBuffer and StagingBuffer: pinned memory of the host, from and to which a device copies by itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>

#include <cuda_runtime_api.h>

#include <diffsiam/backend/cuda/check.hpp>
#include <diffsiam/backend/cuda/context.hpp>
#include <diffsiam/backend/cuda/owned.hpp>

namespace diffsiam::backend::cuda {

using Event = Owned<cudaEvent_t, &cudaEventDestroy>;

/// Makes an event that only orders work and does not measure time.
inline cudaError_t create_event(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDisableTiming);
}

/// The PinnedBuffer of backend::Recordable.
class PinnedBuffer {
 public:
  PinnedBuffer(CudaContext& context, std::size_t bytes)
      : context_(&context), bytes_(bytes), done_(make_handle<Event, &create_event>("PinnedBuffer")) {
    void* memory = nullptr;
    check(cudaMallocHost(&memory, bytes), "PinnedBuffer");
    memory_.reset(memory);
  }
  PinnedBuffer(PinnedBuffer const&) = delete;
  PinnedBuffer& operator=(PinnedBuffer const&) = delete;
  ~PinnedBuffer() { (void)cudaEventSynchronize(done_.get()); }

  /// The memory on the host, once the device has finished with it.
  [[nodiscard]] void* wait() {
    context_->recording_state().require_done("PinnedBuffer::wait");
    check(cudaEventSynchronize(done_.get()), "PinnedBuffer::wait");
    return memory_.get();
  }
  void send(void* to) { send(to, context_->stream()); }
  void send(void* to, cudaStream_t stream) {
    check(cudaMemcpyAsync(to, memory_.get(), bytes_, cudaMemcpyHostToDevice, stream), "PinnedBuffer::send");
    check(cudaEventRecord(done_.get(), stream), "PinnedBuffer::send");
  }
  void fetch(void const* from) {
    cudaStream_t const stream = context_->stream();
    check(cudaMemcpyAsync(memory_.get(), from, bytes_, cudaMemcpyDeviceToHost, stream),
          "PinnedBuffer::fetch");
    check(cudaEventRecord(done_.get(), stream), "PinnedBuffer::fetch");
  }

 private:
  CudaContext* context_;
  std::size_t bytes_;
  Owned<void*, &cudaFreeHost> memory_;
  Event done_;
};

/// The StagingBuffer of backend::Recordable. Values are copied to the device on a separate stream while
/// earlier work runs, and are put in place between that work and what follows.
class StagingBuffer {
 public:
  StagingBuffer(CudaContext& context, std::size_t bytes)
      : context_(&context),
        bytes_(bytes),
        memory_(context.allocate(bytes)),
        staging_(context.allocate(bytes)),
        crossing_(make_handle<Crossing, &create_stream>("StagingBuffer")),
        arrived_(make_handle<Event, &create_event>("StagingBuffer")),
        taken_(make_handle<Event, &create_event>("StagingBuffer")),
        slots_{PinnedBuffer{context, bytes}, PinnedBuffer{context, bytes}} {
    // Earlier work may still use this memory.
    check(cudaEventRecord(taken_.get(), context.stream()), "StagingBuffer");
  }

  /// The memory on the device.
  [[nodiscard]] void* data() const { return memory_.get(); }
  /// Copies values to the device. Returns when the host may change them.
  void put(void const* from) {
    PinnedBuffer& slot = slots_[turn_ ^= 1U];
    std::memcpy(slot.wait(), from, bytes_);
    check(cudaStreamWaitEvent(crossing_.get(), taken_.get(), 0), "StagingBuffer::put");
    slot.send(staging_.get(), crossing_.get());
    check(cudaEventRecord(arrived_.get(), crossing_.get()), "StagingBuffer::put");
    cudaStream_t const stream = context_->stream();
    check(cudaStreamWaitEvent(stream, arrived_.get(), 0), "StagingBuffer::put");
    check(cudaMemcpyAsync(memory_.get(), staging_.get(), bytes_, cudaMemcpyDeviceToDevice, stream),
          "StagingBuffer::put");
    check(cudaEventRecord(taken_.get(), stream), "StagingBuffer::put");
  }

 private:
  using Crossing = Owned<cudaStream_t, &cudaStreamDestroy>;

  CudaContext* context_;
  std::size_t bytes_;
  std::shared_ptr<void> memory_, staging_;
  Crossing crossing_;
  Event arrived_, taken_;
  std::array<PinnedBuffer, 2> slots_;
  unsigned turn_ = 0;
};

}  // namespace diffsiam::backend::cuda
