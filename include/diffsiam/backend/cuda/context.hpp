// CudaContext: the context of the Cuda backend. It holds a device, a stream, memory, handles of CUDA's
// libraries, and the plans for the shapes that have been used.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <diffsiam/backend/cuda/check.hpp>
#include <diffsiam/backend/cuda/convolution.hpp>
#include <diffsiam/backend/cuda/owned.hpp>
#include <diffsiam/backend/cuda/product.hpp>
#include <diffsiam/backend/cuda/recording.hpp>
#include <diffsiam/backend/cuda/rounded_weights.hpp>
#include <diffsiam/backend/recording.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/memory_pool.hpp>
#include <diffsiam/core/observer.hpp>

namespace diffsiam::backend {

namespace cuda {

/// Memory of the current device, or null where it has none left.
inline void* take_from_device(std::size_t bytes) noexcept {
  void* memory = nullptr;
  if (cudaMalloc(&memory, bytes) == cudaSuccess) return memory;
  (void)cudaGetLastError();  // the pool may try a smaller segment
  return nullptr;
}
/// Frees what take_from_device() gave.
inline void give_back_to_device(void* memory) noexcept {
  (void)cudaFree(memory);
}

/// Makes a stream that never waits for the default stream, where other code of the process may work.
inline cudaError_t create_stream(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking);
}

/// Number of devices of this machine; 0 if there is no driver. Never throws.
[[nodiscard]] inline int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  (void)cudaGetLastError();
  return 0;
}

/// Makes `device` the current one. Throws DeviceError if it is missing or too old.
inline void use_device(int device) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "CudaContext");
  if (device < 0 || device >= count)
    fail<DeviceError>("CudaContext", {"a device in [0, ", count, ")"}, device);
  int major = 0, minor = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "CudaContext");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "CudaContext");
  if (major < 8)
    fail<DeviceError>("CudaContext", "compute capability 8.0 or newer", {major, ".", minor},
                      "GPUs before Ampere are not served; take backend::Cpu");
  check(cudaSetDevice(device), "CudaContext");
}

}  // namespace cuda

/// Only one thread at a time may use it, and its device must be the current one of that thread. Work is
/// queued on one stream, so released memory may be reused at once. Tensors may outlive a context, but
/// operations on them need it.
class CudaContext {
 public:
  struct Options {
    int device = 0;  ///< number of the GPU
  };

  CudaContext() : CudaContext(Options{}) {}
  /// Throws DeviceError if there is no driver, no device of that number, or if the device is too old.
  explicit CudaContext(Options options) : device_(options.device) {
    cuda::use_device(device_);
    stream_ = cuda::make_handle<Stream, &cuda::create_stream>("CudaContext");
    blas_ = cuda::make_handle<Blas, &cublasLtCreate>("CudaContext");
    dnn_ = cuda::make_handle<Dnn, &cudnnCreate>("CudaContext");
    cuda::check(cudnnSetStream(dnn_.get(), stream_.get()), "CudaContext");
  }
  CudaContext(CudaContext const&) = delete;
  CudaContext& operator=(CudaContext const&) = delete;
  ~CudaContext() { (void)cudaStreamSynchronize(stream_.get()); }

  /// Throws DeviceError if the device has too little memory.
  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) {
    try {
      return allocate_shared_block(recording_.recording() ? recording_.memory() : memory_, bytes);
    } catch (std::bad_alloc const&) {
      fail_for_memory(bytes);
    }
  }
  /// The memory pool of the device.
  [[nodiscard]] MemoryPool& memory() { return *memory_; }
  /// The number of the GPU.
  [[nodiscard]] int device() const { return device_; }
  /// Makes the GPU the current one of this thread.
  void make_current() const { cuda::check(cudaSetDevice(device_), "CudaContext::make_current"); }
  /// The stream on which all work is queued.
  [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }
  /// The handle of cuBLASLt.
  [[nodiscard]] cublasLtHandle_t blas() const { return blas_.get(); }
  /// The handle of cuDNN; its work is queued on stream().
  [[nodiscard]] cudnnHandle_t dnn() const { return dnn_.get(); }
  /// The convolution for this request. It is planned at the first call. `instead` says what is done if there
  /// is no plan; notes() reports it.
  [[nodiscard]] cuda::Convolution& convolution(
      cuda::ConvRequest const& request, std::string_view instead = "own direct sums serve, which are slow") {
    cuda::ConvKey const key = cuda::key_of(request);
    auto const found = convolutions_.find(key);
    if (found != convolutions_.end() &&
        (!recording_.recording() || !found->second.exists() || found->second.chosen()))
      return found->second;
    // Plans are timed, and their kernels loaded, when they first run.
    if (recording_.recording())
      fail<Error>("conv2d", "a shape that was planned before the recording",
                  found == convolutions_.end() ? "a new one" : "one whose plans could not be timed",
                  "let the same work be done once as it is");
    auto& made = convolutions_.try_emplace(key, dnn(), request).first->second;
    if (!made.exists()) note(cuda::without_plan(request, instead));
    return made;
  }
  /// Adds a sentence to notes(), once.
  void note(std::string sentence) {
    if (std::find(notes_.begin(), notes_.end(), sentence) == notes_.end())
      notes_.push_back(std::move(sentence));
  }
  /// A sentence for each shape that could not be computed as expected, in the order in which they first
  /// occurred: the operation, its shape and types, and what is done instead.
  [[nodiscard]] std::vector<std::string> const& notes() const& { return notes_; }
  [[nodiscard]] std::vector<std::string> notes() const&& { return notes_; }
  /// The product of this shape, planned at the first call. The caller iterates over the outer batch extent.
  [[nodiscard]] cuda::Product& product(cuda::TypedGemm const& g, cuda::Math math) {
    cuda::ProductKey const key = cuda::key_of(g, math);
    auto const found = products_.find(key);
    if (found != products_.end()) return found->second;
    return products_.try_emplace(key, blas(), g, math).first->second;
  }
  /// Weights that were rounded for many calls.
  [[nodiscard]] cuda::RoundedWeights& rounded_weights() { return rounded_weights_; }
  /// Waits for all queued work. Throws DeviceError if some of it failed.
  void synchronise(std::string_view operation = "CudaContext::synchronise") {
    recording_.require_done(operation);
    cuda::check(cudaStreamSynchronize(stream_.get()), operation);
  }

  /// Records what `work` queues, without doing it, and gives the recording its own memory; see
  /// backend::Recordable. Waits for earlier work, and returns unused memory to the device. If `work` throws,
  /// nothing is left behind. Throws DeviceError, and Error within another recording.
  [[nodiscard]] cuda::Recording record(std::uint64_t const* rng_offset, FunctionRef<void()> work) {
    int driver = 0;
    cuda::check(cudaDriverGetVersion(&driver), "record");
    cuda::require_recording_driver(driver);
    synchronise("record");
    memory_->trim();
    recording_.begin(std::make_shared<MemoryPool>(memory_source()), rng_offset);
    cuda::Graph graph;
    try {
      graph = cuda::capture(stream_.get(), work);
    } catch (...) {
      recording_.end();
      throw;
    }
    return {stream_.get(), graph, recording_.end()};
  }
  [[nodiscard]] RecordingState& recording_state() { return recording_; }
  [[nodiscard]] std::uint64_t const* rng_offset() const& { return recording_.rng_offset(); }
  void rng_offset() const&& = delete;

  /// The observer, which is called for every operation when it is queued; null (the default) if there is
  /// none. It is borrowed.
  [[nodiscard]] Observer* observer() const { return observer_; }
  /// `observer` is borrowed, and null ends the observation.
  void set_observer(Observer* observer) { observer_ = observer; }

 private:
  using Stream = cuda::Owned<cudaStream_t, &cudaStreamDestroy>;
  using Blas = cuda::Owned<cublasLtHandle_t, &cublasLtDestroy>;
  using Dnn = cuda::Owned<cudnnHandle_t, &cudnnDestroy>;

  [[nodiscard]] static MemorySource memory_source() {
    // What cudaMalloc promises, and what cuBLASLt wants of its workspace.
    constexpr std::size_t alignment = 256;
    return {&cuda::take_from_device, &cuda::give_back_to_device, alignment};
  }
  [[noreturn]] void fail_for_memory(std::size_t bytes) const {
    std::size_t free = 0, total = 0;
    (void)cudaMemGetInfo(&free, &total);
    fail<DeviceError>("CudaContext::allocate", {bytes, " bytes of device memory"},
                      {free, " free of ", total, ", ", memory_->live_bytes(), " in use here"},
                      "a smaller batch needs less; MemoryPool::trim returns what is not in use");
  }

  int device_;
  std::shared_ptr<MemoryPool> memory_ = std::make_shared<MemoryPool>(memory_source());
  RecordingState recording_;
  Stream stream_;
  Blas blas_;
  Dnn dnn_;
  std::map<cuda::ConvKey, cuda::Convolution> convolutions_;
  std::map<cuda::ProductKey, cuda::Product> products_;
  cuda::RoundedWeights rounded_weights_;
  std::vector<std::string> notes_;
  Observer* observer_ = nullptr;
};

}  // namespace diffsiam::backend
