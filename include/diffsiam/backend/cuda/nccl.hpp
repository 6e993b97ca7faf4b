// Nccl: the calls of NCCL and CUDA that dist::NcclRank is made of.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <diffsiam/backend/cuda/check.hpp>

namespace diffsiam::backend::cuda {

/// For the current device, and work that is queued on `compute`, the stream of a CudaContext. Throws
/// DeviceError where a call fails.
class Nccl {
 public:
  using Id = ncclUniqueId;
  using Stream = cudaStream_t;
  using Event = std::shared_ptr<CUevent_st>;

  explicit Nccl(Stream compute) : compute_(compute) {
    check(cudaStreamCreateWithFlags(&transfers_, cudaStreamNonBlocking), "Nccl");
  }
  Nccl(Nccl const&) = delete;
  Nccl& operator=(Nccl const&) = delete;
  ~Nccl() {
    if (ranks_ != nullptr) (void)ncclCommDestroy(ranks_);
    (void)cudaStreamDestroy(transfers_);
  }

  [[nodiscard]] static Id make_id() {
    Id id{};
    check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
    return id;
  }
  void connect(int size, Id const& id, int rank) {
    check_nccl(ncclCommInitRank(&ranks_, size, id, rank), "ncclCommInitRank");
  }
  [[nodiscard]] Stream compute_stream() const { return compute_; }
  [[nodiscard]] Stream transfer_stream() const { return transfers_; }
  [[nodiscard]] static bool is_on_device(void const* memory) {
    cudaPointerAttributes attributes{};
    check(cudaPointerGetAttributes(&attributes, memory), "cudaPointerGetAttributes");
    return attributes.type == cudaMemoryTypeDevice;
  }
  [[nodiscard]] static Event record(Stream stream) {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
    Event owned{event, [](cudaEvent_t made) { (void)cudaEventDestroy(made); }};
    check(cudaEventRecord(event, stream), "cudaEventRecord");
    return owned;
  }
  static void wait(Stream stream, Event const& event) {
    check(cudaStreamWaitEvent(stream, event.get(), 0), "cudaStreamWaitEvent");
  }
  /// Also throws where a transfer has failed on its way.
  [[nodiscard]] bool has_passed(Event const& event) const {
    ncclResult_t on_its_way = ncclSuccess;
    check_nccl(ncclCommGetAsyncError(ranks_, &on_its_way), "ncclCommGetAsyncError");
    check_nccl(on_its_way, "NCCL");
    cudaError_t const status = cudaEventQuery(event.get());
    if (status == cudaErrorNotReady) return false;
    check(status, "cudaEventQuery");
    return true;
  }
  void all_gather(void const* from, void* to, std::size_t bytes, Stream stream) const {
    check_nccl(ncclAllGather(from, to, bytes, ncclInt8, ranks_, stream), "ncclAllGather");
  }
  static void begin_group() { check_nccl(ncclGroupStart(), "ncclGroupStart"); }
  void send(void const* from, std::size_t bytes, int to, Stream stream) const {
    check_nccl(ncclSend(from, bytes, ncclInt8, to, ranks_, stream), "ncclSend");
  }
  void receive(void* to, std::size_t bytes, int from, Stream stream) const {
    check_nccl(ncclRecv(to, bytes, ncclInt8, from, ranks_, stream), "ncclRecv");
  }
  static void end_group() { check_nccl(ncclGroupEnd(), "ncclGroupEnd"); }

 private:
  static void check_nccl(ncclResult_t status, std::string_view operation) {
    if (status != ncclSuccess && status != ncclInProgress)
      fail<DeviceError>(operation, "success", ncclGetErrorString(status));
  }

  Stream compute_, transfers_ = nullptr;
  ncclComm_t ranks_ = nullptr;
};

}  // namespace diffsiam::backend::cuda
