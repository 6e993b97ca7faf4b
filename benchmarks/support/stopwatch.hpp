// How long work takes: by the host's clock, or on a GPU by events in the stream that the work is queued in.
#pragma once

#include <chrono>

#ifdef DIFFSIAM_WITH_CUDA
#include <cuda_runtime_api.h>

#include <diffsiam/backend/cuda/check.hpp>
#include <diffsiam/backend/cuda/context.hpp>
#include <diffsiam/backend/cuda/owned.hpp>
#endif

namespace bench {

/// start(), then work, then stop(), which returns the seconds that the work took.
template <class Context>
class Stopwatch {
  using Clock = std::chrono::steady_clock;

 public:
  explicit Stopwatch(Context&) {}

  void start() { start_ = Clock::now(); }
  [[nodiscard]] double stop() { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  Clock::time_point start_{};
};

#ifdef DIFFSIAM_WITH_CUDA
/// The work is what is queued in the context's stream; stop() waits for it. Throws DeviceError where CUDA
/// does.
template <>
class Stopwatch<diffsiam::backend::CudaContext> {
 public:
  explicit Stopwatch(diffsiam::backend::CudaContext& context) : stream_(context.stream()) {}

  void start() { record(begin_); }
  [[nodiscard]] double stop() {
    using diffsiam::backend::cuda::check;
    float milliseconds = 0;
    record(end_);
    check(cudaEventSynchronize(end_.get()), "Stopwatch");
    check(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()), "Stopwatch");
    return static_cast<double>(milliseconds) / 1e3;
  }

 private:
  using Event = diffsiam::backend::cuda::Owned<cudaEvent_t, &cudaEventDestroy>;
  static cudaError_t create(cudaEvent_t* event) { return cudaEventCreate(event); }
  void record(Event const& event) {
    diffsiam::backend::cuda::check(cudaEventRecord(event.get(), stream_), "Stopwatch");
  }

  cudaStream_t stream_;
  Event begin_ = diffsiam::backend::cuda::make_handle<Event, &create>("Stopwatch");
  Event end_ = diffsiam::backend::cuda::make_handle<Event, &create>("Stopwatch");
};
#endif

}  // namespace bench
