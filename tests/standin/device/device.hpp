// Device: the stand-in of a GPU. Work that is queued on a stream is done as late as CUDA allows: when
// somebody waits for it, and then only what that wait needs. So a wait that is missing always shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <cuda_runtime_api.h>

#include "memory.hpp"

namespace diffsiam::standin {

using Work = std::function<void()>;
struct Queue;
struct Capture;
class Tally;

/// A place in a queue: done when everything before it is.
struct Marker {
  std::shared_ptr<Queue> queue;
  bool done = false;
  std::uint64_t time = 0;            ///< on the clock of the device, when it was done
  std::shared_ptr<Capture> capture;  ///< in which it was recorded, if any
  std::size_t position = 0;          ///< there: number of its queue's entries before it
};

/// Work, a marker to be set, or a marker to be waited for.
struct Entry {
  Work work{};
  std::shared_ptr<Marker> sets{}, waits_for{};
  std::uint64_t nanoseconds = 1000;  ///< pretended
  std::string label{};               ///< the operation that has queued it
  /// If not empty, what the work depends on: right after work that depended on the same it would change
  /// nothing, and is not done. Plans are timed so, twenty times each.
  std::vector<void const*> repeats{};
};

struct Queue {
  std::deque<Entry> entries;
  std::shared_ptr<Capture> capture;
  bool blocks_legacy_stream = true;
};

/// Work that is recorded instead of done, in the order in which it was queued.
struct Capture {
  cudaStreamCaptureMode mode{};
  Queue* origin = nullptr;
  std::vector<Entry> entries;
  std::map<Queue*, std::size_t> queued,
      joined;  ///< entries of each queue; how many of them the origin waits for
  bool invalid = false;
};

class Device {
 public:
  DeviceMemory memory;
  std::set<void const*> handles;                    ///< of streams, events, graphs and libraries that exist
  std::map<void const*, std::size_t> pinned;        ///< memory of the host that the device may read
  std::string fault;                                ///< a sentence about what went wrong
  std::vector<std::shared_ptr<Capture>> capturing;  ///< captures that have not ended
  std::size_t launches = 0;              ///< kernels and library calls that were queued or recorded
  Tally* tally = nullptr;                ///< if there is one, work is counted at once instead of done
  std::string label = "other", running;  ///< the operation that queues work; that whose work is done

  /// The error of the last call, and the error that no call can clear.
  [[nodiscard]] cudaError_t fails(cudaError_t error);
  [[nodiscard]] cudaError_t fails(cudaError_t error, std::string why);
  [[nodiscard]] cudaError_t last_error(bool clears);
  [[nodiscard]] cudaError_t broken() const { return broken_; }
  /// As in a new process: no queued work, no error.
  void restart();

  /// Queues work on a stream or adds it to its recording.
  [[nodiscard]] cudaError_t queue(cudaStream_t stream, Entry entry);
  /// Does the work of `queue` up to its end, or up to `until`, and what that waits for.
  [[nodiscard]] cudaError_t finish(Queue& queue, Marker const* until = nullptr);
  [[nodiscard]] cudaError_t finish_all();
  /// Ends a capture with an error: the call is not allowed within it.
  [[nodiscard]] cudaError_t refuse(Capture& capture, cudaError_t error, std::string why);
  /// Refuses calls that may wait for the device, in captures that are not relaxed.
  [[nodiscard]] cudaError_t refuse_unsafe(std::string_view call);
  /// Queues that are not part of a stream any more, and all others.
  std::vector<std::weak_ptr<Queue>> queues;
  [[nodiscard]] std::uint64_t now() const { return now_; }

 private:
  void run(Entry const& entry);
  void work_off(Queue& queue, Marker const* until);
  void break_down(cudaError_t error, std::string what);

  cudaError_t last_ = cudaSuccess, broken_ = cudaSuccess;
  std::uint64_t now_ = 0;
  std::vector<void const*> repeats_;  ///< of the work that was done last
};

/// The only one; a process of CUDA has its devices as globals, too.
[[nodiscard]] Device& device();

}  // namespace diffsiam::standin

// What the handles of the runtime point to.
struct CUstream_st {
  std::shared_ptr<diffsiam::standin::Queue> queue;
};
struct CUevent_st {
  std::shared_ptr<diffsiam::standin::Marker> marker;
  bool timed = true;
};
struct CUgraph_st {
  std::vector<diffsiam::standin::Entry> entries;
};
struct CUgraphExec_st {
  std::vector<diffsiam::standin::Entry> entries;
};
