#include "device.hpp"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <csignal>
#include <exception>
#include <utility>

namespace diffsiam::standin {

namespace {

// Where the device goes on when a kernel touches what it may not.
sigjmp_buf escape;
std::sig_atomic_t volatile executing = 0;
void* volatile touched = nullptr;

void on_signal(int signal, siginfo_t* info, void*) {
  if (executing == 0) {  // not of the device
    std::signal(signal, SIG_DFL);
    return;
  }
  touched = info->si_addr;
  siglongjmp(escape, signal);
}

/// Takes the signals of a kernel that touches what it may not, while the device works. At other times they
/// are those of the test framework.
class Watched {
 public:
  Watched() {
    struct sigaction action{};
    action.sa_sigaction = &on_signal;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &action, &before_[i]);
  }
  Watched(Watched const&) = delete;
  Watched& operator=(Watched const&) = delete;
  ~Watched() {
    for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before_[i], nullptr);
  }

 private:
  static constexpr std::array signals{SIGSEGV, SIGBUS, SIGILL};
  std::array<struct sigaction, signals.size()> before_{};
};

/// Opens the memory of the device while it works.
class Opened {
 public:
  explicit Opened(DeviceMemory& memory) : memory_(memory), opens_(!memory.is_open()) {
    if (opens_) memory_.open();
  }
  Opened(Opened const&) = delete;
  Opened& operator=(Opened const&) = delete;
  ~Opened() {
    if (opens_) memory_.close();
  }

 private:
  DeviceMemory& memory_;
  bool opens_;
};

}  // namespace

Device& device() {
  static Device only;
  return only;
}

cudaError_t Device::fails(cudaError_t error) {
  if (error != cudaSuccess) last_ = error;
  return error;
}
cudaError_t Device::fails(cudaError_t error, std::string why) {
  fault = std::move(why);
  return fails(error);
}
cudaError_t Device::last_error(bool clears) {
  cudaError_t const result = broken_ != cudaSuccess ? broken_ : last_;
  if (clears) last_ = cudaSuccess;
  return result;
}
void Device::restart() {
  for (auto const& weak : queues)
    if (auto const queue = weak.lock()) {
      queue->entries.clear();
      queue->capture = nullptr;
    }
  capturing.clear();
  repeats_.clear();
  last_ = broken_ = cudaSuccess;
  fault.clear();
}
void Device::break_down(cudaError_t error, std::string what) {
  if (broken_ != cudaSuccess) return;
  broken_ = error;
  fault = std::move(what);
}

cudaError_t Device::queue(cudaStream_t stream, Entry entry) {
  if (broken_ != cudaSuccess) return broken_;
  if (stream == nullptr) {
    for (auto const& capture : capturing)
      if (capture->origin->blocks_legacy_stream)
        return refuse(*capture, cudaErrorStreamCaptureImplicit, "work on the legacy stream within a capture");
    return fails(cudaErrorInvalidResourceHandle, "the stand-in has no legacy stream: name one");
  }
  if (!handles.contains(stream)) return fails(cudaErrorInvalidResourceHandle, "a stream that does not exist");
  Queue& queue = *stream->queue;
  if (entry.label.empty()) entry.label = label;
  if (queue.capture == nullptr) {
    queue.entries.push_back(std::move(entry));
    return tally == nullptr ? cudaSuccess : finish(queue);
  }
  if (queue.capture->invalid) return fails(cudaErrorStreamCaptureInvalidated);
  queue.capture->entries.push_back(std::move(entry));
  ++queue.capture->queued[&queue];
  return cudaSuccess;
}

cudaError_t Device::refuse(Capture& capture, cudaError_t error, std::string why) {
  capture.invalid = true;
  return fails(error, std::move(why));
}
cudaError_t Device::refuse_unsafe(std::string_view call) {
  for (auto const& capture : capturing)
    if (capture->mode != cudaStreamCaptureModeRelaxed)
      return refuse(*capture, cudaErrorStreamCaptureUnsupported,
                    std::string{call} + " within a capture that is not relaxed");
  return broken_;
}

cudaError_t Device::finish(Queue& queue, Marker const* until) {
  if (broken_ != cudaSuccess) return broken_;
  Opened const opened{memory};
  Watched const watched;
  work_off(queue, until);
  if (tally != nullptr) return broken_;  // after each launch it would take longer than the launch
  if (auto overrun = memory.find_overrun(); !overrun.empty())
    break_down(cudaErrorIllegalAddress, std::move(overrun));
  return broken_;
}
cudaError_t Device::finish_all() {
  std::erase_if(queues, [](auto const& queue) { return queue.expired(); });
  cudaError_t result = broken_;
  for (auto const& weak : std::vector{queues})
    if (auto const queue = weak.lock()) result = finish(*queue);
  return result;
}

void Device::work_off(Queue& queue, Marker const* until) {
  while (!queue.entries.empty() && (until == nullptr || !until->done)) {
    Entry const entry = std::move(queue.entries.front());
    queue.entries.pop_front();
    if (entry.waits_for != nullptr && !entry.waits_for->done)
      work_off(*entry.waits_for->queue, entry.waits_for.get());
    if (entry.work && broken_ == cudaSuccess) {
      now_ += entry.nanoseconds;
      running = entry.label;
      if (tally != nullptr || entry.repeats.empty() || entry.repeats != repeats_) run(entry);
      repeats_ = entry.repeats;
    }
    if (entry.sets != nullptr) {
      entry.sets->done = true;
      entry.sets->time = now_;
    }
  }
}

void Device::run(Entry const& entry) {
  int const signal = sigsetjmp(escape, 1);
  if (signal != 0) {
    executing = 0;
    break_down(signal == SIGILL ? cudaErrorMisalignedAddress : cudaErrorIllegalAddress,
               signal == SIGILL ? "a value was read or written at an address that its type does not allow"
                                : "a kernel touched " + memory.describe(touched));
    return;
  }
  executing = 1;
  try {
    entry.work();
  } catch (std::exception const& error) {
    break_down(cudaErrorLaunchFailure, error.what());
  }
  executing = 0;
}

}  // namespace diffsiam::standin
