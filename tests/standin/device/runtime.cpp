// The functions of the CUDA runtime that the library calls, on the stand-in. They refuse what CUDA's manual
// says that CUDA refuses; where it leaves something open, they do what shows more mistakes.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device.hpp"
#include "tally.hpp"

using namespace diffsiam::standin;

namespace {

[[nodiscard]] bool exists(void const* handle) {
  return device().handles.contains(handle);
}

/// Refuses to wait for a stream or event that is part of a capture.
[[nodiscard]] cudaError_t refuse_captured(Capture* capture, cudaError_t error, char const* why) {
  return capture == nullptr ? cudaSuccess : device().refuse(*capture, error, why);
}

enum class Place { device, pinned, pageable };
[[nodiscard]] Place place_of(void const* address) {
  if (device().memory.contains(address)) return Place::device;
  auto const after = device().pinned.upper_bound(address);
  if (after == device().pinned.begin()) return Place::pageable;
  auto const& [begin, bytes] = *std::prev(after);
  return static_cast<char const*>(address) < static_cast<char const*>(begin) + bytes ? Place::pinned
                                                                                     : Place::pageable;
}

template <class Handle>
cudaError_t destroy(Handle* handle) {
  if (!exists(handle)) return device().fails(cudaErrorInvalidResourceHandle, "a handle that does not exist");
  device().handles.erase(handle);
  delete handle;
  return device().broken();
}
template <class Handle>
cudaError_t publish(Handle** to, Handle* made) {
  device().handles.insert(made);
  *to = made;
  return device().broken();
}

}  // namespace

extern "C" {

// Devices and errors.
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* number) {
  *number = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int number) {
  return number == 0 ? device().broken() : device().fails(cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = 132;
      return cudaSuccess;
    default:
      return device().fails(cudaErrorInvalidValue, "an attribute that the stand-in does not know");
  }
}
cudaError_t cudaGetLastError() {
  return device().last_error(true);
}
cudaError_t cudaPeekAtLastError() {
  return device().last_error(false);
}
char const* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorMisalignedAddress:
      return "cudaErrorMisalignedAddress";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureUnjoined:
      return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorStreamCaptureImplicit:
      return "cudaErrorStreamCaptureImplicit";
    case cudaErrorStreamCaptureIsolation:
      return "cudaErrorStreamCaptureIsolation";
    case cudaErrorCapturedEvent:
      return "cudaErrorCapturedEvent";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    default:
      return "an error of CUDA";
  }
}
char const* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : device().fault.c_str();
}

// Memory.
cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (cudaError_t const error = device().refuse_unsafe("cudaMalloc"); error != cudaSuccess) return error;
  *memory = bytes == 0 ? nullptr : device().memory.take(bytes);
  return bytes > 0 && *memory == nullptr ? device().fails(cudaErrorMemoryAllocation, "out of memory")
                                         : cudaSuccess;
}
/// CUDA does not promise that it waits for work, so this does not.
cudaError_t cudaFree(void* memory) {
  cudaError_t const error = device().refuse_unsafe("cudaFree");
  if (error != cudaSuccess && error != device().broken()) return error;
  if (memory == nullptr || device().memory.give_back(memory)) return error;
  return device().fails(cudaErrorInvalidValue, "cudaFree of " + device().memory.describe(memory));
}
cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  if (cudaError_t const error = device().refuse_unsafe("cudaMallocHost"); error != cudaSuccess) return error;
  *memory = std::aligned_alloc(DeviceMemory::alignment, (bytes + 255) / 256 * 256);
  std::memset(*memory, DeviceMemory::poison, bytes);
  device().pinned.emplace(*memory, bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  if (cudaError_t const error = device().refuse_unsafe("cudaFreeHost"); error != cudaSuccess) return error;
  auto const found = device().pinned.find(memory);
  if (found == device().pinned.end())
    return device().fails(cudaErrorInvalidValue, "cudaFreeHost of what cudaMallocHost did not give");
  device().pinned.erase(found);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = device().memory.total;
  *free = *total - device().memory.used();
  return device().broken();
}
cudaError_t cudaMemcpyAsync(void* to, void const* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (device().broken() != cudaSuccess) return device().broken();
  if (bytes == 0) return cudaSuccess;
  bool const to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  bool const from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  Place const source = place_of(from), target = place_of(to);
  if (kind == cudaMemcpyHostToHost || kind == cudaMemcpyDefault || to_device != (target == Place::device) ||
      from_device != (source == Place::device))
    return device().fails(cudaErrorInvalidValue, "a copy whose kind is not that of its addresses");
  auto const held = [&](void const* memory, Place place) {
    return place != Place::device || device().memory.holds(memory, bytes);
  };
  if (!held(from, source) || !held(to, target))
    return device().fails(cudaErrorInvalidValue, "a copy of " + std::to_string(bytes) + " bytes from " +
                                                     device().memory.describe(from) + " to " +
                                                     device().memory.describe(to));
  bool const pageable = source == Place::pageable || target == Place::pageable;
  if (pageable && exists(stream) && stream->queue->capture != nullptr)
    return device().refuse(*stream->queue->capture, cudaErrorStreamCaptureUnsupported,
                           "a graph that copies pageable memory, which is read at every replay");
  if (source == Place::pageable) {
    // CUDA copies it aside before it returns.
    auto const aside = std::make_shared<std::vector<char>>(static_cast<char const*>(from),
                                                           static_cast<char const*>(from) + bytes);
    return device().queue(stream, {.work = [=] { std::memcpy(to, aside->data(), bytes); }});
  }
  cudaError_t const queued =
      device().queue(stream, {.work = [=] {
                       if (device().tally == nullptr || !from_device)
                         std::memmove(to, from, bytes);
                       else if (to_device)
                         device().tally->add_copy(device().running, static_cast<double>(bytes));
                       else
                         std::memset(to, 0, bytes);  // nobody has computed it
                     }});
  if (queued != cudaSuccess || target != Place::pageable) return queued;
  return device().finish(*stream->queue);  // CUDA returns when it has arrived
}

// Streams.
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  auto queue = std::make_shared<Queue>();
  queue->blocks_legacy_stream = (flags & cudaStreamNonBlocking) == 0;
  device().queues.push_back(queue);
  return publish(stream, new CUstream_st{std::move(queue)});
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}
/// Work that is queued is still done, by whoever waits for it.
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (exists(stream) && stream->queue->capture != nullptr)
    return device().refuse(*stream->queue->capture, cudaErrorStreamCaptureUnsupported,
                           "cudaStreamDestroy of a stream that is captured");
  return destroy(stream);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (!exists(stream)) return device().fails(cudaErrorInvalidResourceHandle, "a stream that does not exist");
  if (cudaError_t const error =
          refuse_captured(stream->queue->capture.get(), cudaErrorStreamCaptureUnsupported,
                          "cudaStreamSynchronize of a stream that is captured");
      error != cudaSuccess)
    return error;
  if (cudaError_t const error = device().refuse_unsafe("cudaStreamSynchronize"); error != cudaSuccess)
    return error;
  return device().finish(*stream->queue);
}
cudaError_t cudaDeviceSynchronize() {
  for (auto const& capture : device().capturing)
    return device().refuse(*capture, cudaErrorStreamCaptureUnsupported,
                           "cudaDeviceSynchronize within a capture");
  return device().finish_all();
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (!exists(stream) || !exists(event))
    return device().fails(cudaErrorInvalidResourceHandle, "a stream or event that does not exist");
  auto const marker = event->marker;
  if (marker == nullptr) return cudaSuccess;  // nothing to wait for
  Queue& queue = *stream->queue;
  if (marker->capture != nullptr) {
    if (std::ranges::find(device().capturing, marker->capture) == device().capturing.end())
      return device().fails(cudaErrorCapturedEvent, "an event that was last recorded within a capture");
    if (queue.capture == nullptr) queue.capture = marker->capture;  // it is now part of the recording
    if (queue.capture != marker->capture)
      return device().refuse(*queue.capture, cudaErrorStreamCaptureIsolation, "an event of another capture");
    if (&queue == queue.capture->origin) queue.capture->joined[marker->queue.get()] = marker->position;
    return cudaSuccess;
  }
  if (queue.capture != nullptr)
    return device().refuse(*queue.capture, cudaErrorStreamCaptureIsolation,
                           "a recorded stream that waits for work outside of the recording");
  return device().queue(stream, {.waits_for = marker});
}

// Events.
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return publish(event, new CUevent_st{nullptr, (flags & cudaEventDisableTiming) == 0});
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return destroy(event);
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (!exists(event) || !exists(stream))
    return device().fails(cudaErrorInvalidResourceHandle, "a stream or event that does not exist");
  auto const marker = std::make_shared<Marker>();
  marker->queue = stream->queue;
  marker->capture = stream->queue->capture;
  event->marker = marker;
  if (marker->capture != nullptr) {
    marker->position = marker->capture->queued[stream->queue.get()];
    return cudaSuccess;
  }
  return device().queue(stream, {.sets = marker});
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (!exists(event)) return device().fails(cudaErrorInvalidResourceHandle, "an event that does not exist");
  if (event->marker == nullptr) return device().broken();
  if (cudaError_t const error = refuse_captured(event->marker->capture.get(), cudaErrorCapturedEvent,
                                                "cudaEventSynchronize of an event of a recording");
      error != cudaSuccess)
    return error;
  if (cudaError_t const error = device().refuse_unsafe("cudaEventSynchronize"); error != cudaSuccess)
    return error;
  if (event->marker->done) return device().broken();
  return device().finish(*event->marker->queue, event->marker.get());
}
/// Work goes on while somebody asks.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  bool const was_done = !exists(event) || event->marker == nullptr || event->marker->done;
  cudaError_t const error = cudaEventSynchronize(event);
  return error != cudaSuccess || was_done ? error : cudaErrorNotReady;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  if (!exists(from) || !exists(to) || from->marker == nullptr || to->marker == nullptr || !from->timed ||
      !to->timed)
    return device().fails(cudaErrorInvalidResourceHandle, "events that are not recorded or measure no time");
  if (!from->marker->done || !to->marker->done)
    return device().fails(cudaErrorNotReady, "events that are not done");
  *milliseconds = static_cast<float>(to->marker->time - from->marker->time) * 1e-6F;
  return device().broken();
}

// Captures and graphs.
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (!exists(stream)) return device().fails(cudaErrorInvalidValue, "a capture needs a stream");
  if (stream->queue->capture != nullptr)
    return device().fails(cudaErrorIllegalState, "a capture within a capture");
  auto const capture = std::make_shared<Capture>();
  capture->mode = mode;
  capture->origin = stream->queue.get();
  stream->queue->capture = capture;
  device().capturing.push_back(capture);
  return device().broken();
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (!exists(stream) || stream->queue->capture == nullptr ||
      stream->queue->capture->origin != stream->queue.get())
    return device().fails(cudaErrorIllegalState, "a capture that did not begin on this stream");
  auto const capture = stream->queue->capture;
  for (auto const& weak : device().queues)
    if (auto const queue = weak.lock(); queue != nullptr && queue->capture == capture)
      queue->capture = nullptr;
  std::erase(device().capturing, capture);
  if (capture->invalid) return device().fails(cudaErrorStreamCaptureInvalidated, device().fault);
  for (auto const& [queue, count] : capture->queued)
    if (queue != capture->origin && capture->joined[queue] != count)
      return device().fails(cudaErrorStreamCaptureUnjoined,
                            "a stream of the recording that its origin does not wait for");
  return publish(graph, new CUgraph_st{std::move(capture->entries)});
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) {
  if (!exists(graph)) return device().fails(cudaErrorInvalidValue, "a graph that does not exist");
  return publish(made, new CUgraphExec_st{graph->entries});
}
cudaError_t cudaGraphUpload(cudaGraphExec_t graph, cudaStream_t stream) {
  return exists(graph) && exists(stream) ? device().broken()
                                         : device().fails(cudaErrorInvalidValue, "no such graph");
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  if (!exists(graph)) return device().fails(cudaErrorInvalidValue, "a graph that does not exist");
  for (Entry const& entry : graph->entries)
    if (cudaError_t const error = device().queue(stream, entry); error != cudaSuccess) return error;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return destroy(graph);
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  return destroy(graph);
}

}  // extern "C"
