// HostSlot and Inbox: pinned memory of the host, to and from which a device copies by itself.
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

/// An event that only orders.
inline cudaError_t create_event(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDisableTiming);
}

/// As backend::Recordable says.
class HostSlot {
 public:
  HostSlot(CudaContext& context, std::size_t bytes)
      : context_(&context), bytes_(bytes), done_(make_handle<Event, &create_event>("HostSlot")) {
    void* memory = nullptr;
    check(cudaMallocHost(&memory, bytes), "HostSlot");
    memory_.reset(memory);
  }
  HostSlot(HostSlot const&) = delete;
  HostSlot& operator=(HostSlot const&) = delete;
  ~HostSlot() { (void)cudaEventSynchronize(done_.get()); }

  /// The host's memory, once the device is done with it.
  [[nodiscard]] void* wait() {
    context_->recording_state().require_done("HostSlot::wait");
    check(cudaEventSynchronize(done_.get()), "HostSlot::wait");
    return memory_.get();
  }
  void send(void* to) { send(to, context_->stream()); }
  void send(void* to, cudaStream_t stream) {
    check(cudaMemcpyAsync(to, memory_.get(), bytes_, cudaMemcpyHostToDevice, stream), "HostSlot::send");
    check(cudaEventRecord(done_.get(), stream), "HostSlot::send");
  }
  void fetch(void const* from) {
    cudaStream_t const stream = context_->stream();
    check(cudaMemcpyAsync(memory_.get(), from, bytes_, cudaMemcpyDeviceToHost, stream), "HostSlot::fetch");
    check(cudaEventRecord(done_.get(), stream), "HostSlot::fetch");
  }

 private:
  CudaContext* context_;
  std::size_t bytes_;
  Owned<void*, &cudaFreeHost> memory_;
  Event done_;
};

/// As backend::Recordable says: values cross to the device on a stream of their own, beside earlier work, and
/// are put in place between that and what follows.
class Inbox {
 public:
  Inbox(CudaContext& context, std::size_t bytes)
      : context_(&context),
        bytes_(bytes),
        memory_(context.allocate(bytes)),
        staging_(context.allocate(bytes)),
        crossing_(make_handle<Crossing, &cudaStreamCreate>("Inbox")),
        arrived_(make_handle<Event, &create_event>("Inbox")),
        taken_(make_handle<Event, &create_event>("Inbox")),
        slots_{HostSlot{context, bytes}, HostSlot{context, bytes}} {
    // What had this memory before may still be at work.
    check(cudaEventRecord(taken_.get(), context.stream()), "Inbox");
  }

  /// On the device.
  [[nodiscard]] void* data() const { return memory_.get(); }
  /// Returns when the values may be changed.
  void put(void const* from) {
    HostSlot& slot = slots_[turn_ ^= 1U];
    std::memcpy(slot.wait(), from, bytes_);
    check(cudaStreamWaitEvent(crossing_.get(), taken_.get(), 0), "Inbox::put");
    slot.send(staging_.get(), crossing_.get());
    check(cudaEventRecord(arrived_.get(), crossing_.get()), "Inbox::put");
    cudaStream_t const stream = context_->stream();
    check(cudaStreamWaitEvent(stream, arrived_.get(), 0), "Inbox::put");
    check(cudaMemcpyAsync(memory_.get(), staging_.get(), bytes_, cudaMemcpyDeviceToDevice, stream),
          "Inbox::put");
    check(cudaEventRecord(taken_.get(), stream), "Inbox::put");
  }

 private:
  using Crossing = Owned<cudaStream_t, &cudaStreamDestroy>;

  CudaContext* context_;
  std::size_t bytes_;
  std::shared_ptr<void> memory_, staging_;
  Crossing crossing_;
  Event arrived_, taken_;
  std::array<HostSlot, 2> slots_;
  unsigned turn_ = 0;
};

}  // namespace diffsiam::backend::cuda
