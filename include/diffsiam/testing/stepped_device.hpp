// SteppedDevice: runs kernels of backend/cuda on the host, one block at a time; its threads run in turn, each
// up to its next barrier. This is slow but needs no GPU, so the results of kernels can be tested on any
// machine. A thread that misses a barrier of its block or warp is an Error here; on a device it would hang or
// give wrong results.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/backend/recording.hpp>
#include <diffsiam/core/error.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/testing/fiber.hpp>

namespace diffsiam::testing {

/// The threads of a block as fibers.
class SteppedBlock {
 public:
  class Lane;
  /// Which thread is the first to run after a barrier.
  enum class Order { forward, backward };

  /// Threads run in `order` between barriers; a kernel whose result depends on it lacks a barrier.
  explicit SteppedBlock(Order order = Order::forward) : order_(order) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
  }
  SteppedBlock(SteppedBlock const&) = delete;
  SteppedBlock& operator=(SteppedBlock const&) = delete;
  ~SteppedBlock() = default;

  /// Runs run(lane) for each thread. Throws Error if threads do not all reach the same barrier, and what
  /// `run` throws.
  template <class Run>
  void step_through(Index block, Run const& run) {
    body_ = [](void const* f, Lane& lane) { (*static_cast<Run const*>(f))(lane); };
    run_ = &run;
    block_ = block;
    for (Thread& thread : threads_) {
      if (!thread.fiber.ended()) thread.fiber.abandon();  // of a block that has failed
      thread.state = State::running;
    }
    for (;;) {
      int met = 0;
      for (int i = 0; i < threads; ++i)
        met += resume_if_released(order_ == Order::forward ? i : threads - 1 - i) ? 1 : 0;
      if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
      if (met == 0 && !release()) return;
    }
  }

 private:
  static constexpr int threads = backend::cuda::block_threads;
  enum class State { running, at_block, at_warp, ended };
  struct Thread {
    explicit Thread(std::function<void()> body) : fiber(std::move(body)) {}
    Fiber fiber;
    State state = State::ended;
    double value[2]{};  ///< offered for exchange, in turn; large enough for any scalar type
  };

  void run(int i);
  bool resume_if_released(int i) {
    Thread& thread = threads_[static_cast<std::size_t>(i)];
    if (thread.state != State::running) return false;
    thread.fiber.resume();
    return true;
  }
  /// Lets threads continue whose barrier is complete. Returns false if all threads have ended.
  bool release() {
    bool waiting = false, released = false;
    for (int first = 0; first < threads; first += backend::cuda::warp_size) {
      int at_warp = 0;
      for (int i = first; i < first + backend::cuda::warp_size; ++i) at_warp += is(i, State::at_warp) ? 1 : 0;
      waiting = waiting || at_warp > 0;
      if (at_warp != backend::cuda::warp_size) continue;
      for (int i = first; i < first + backend::cuda::warp_size; ++i) state(i) = State::running;
      released = true;
    }
    if (released) return true;
    if (waiting)
      fail<Error>("SteppedBlock", "a whole warp to exchange", "some of it", "others ended or wait elsewhere");
    int at_block = 0, ended = 0;
    for (int i = 0; i < threads; ++i) {
      at_block += is(i, State::at_block) ? 1 : 0;
      ended += is(i, State::ended) ? 1 : 0;
    }
    if (ended == threads) return false;
    if (at_block != threads)
      fail<Error>("SteppedBlock", "the whole block to synchronise", {at_block, " of ", threads, " threads"},
                  "others have ended");
    for (int i = 0; i < threads; ++i) state(i) = State::running;
    return true;
  }
  [[nodiscard]] State& state(int i) { return threads_[static_cast<std::size_t>(i)].state; }
  [[nodiscard]] bool is(int i, State s) { return state(i) == s; }
  void wait(int i, State s) {
    state(i) = s;
    threads_[static_cast<std::size_t>(i)].fiber.stop();
  }

  Order order_;
  std::deque<Thread> threads_;
  void (*body_)(void const*, Lane&) = nullptr;
  void const* run_ = nullptr;
  Index block_ = 0;
  std::exception_ptr failed_;
};

/// The Lane of a thread of a SteppedBlock.
class SteppedBlock::Lane {
 public:
  /// The lane of thread number `thread` of the block.
  Lane(SteppedBlock& home, int thread) : home_(home), thread_(thread) {}
  [[nodiscard]] int thread() const { return thread_; }
  [[nodiscard]] Index block() const { return home_.block_; }
  void sync() { home_.wait(thread_, State::at_block); }
  template <class T>
  [[nodiscard]] T exchange(T value, int mask) {
    // The value may be read until all threads have reached the exchange after the next.
    turn_ = !turn_;
    home_.threads_[static_cast<std::size_t>(thread_)].value[turn_] = static_cast<double>(value);
    home_.wait(thread_, State::at_warp);
    return static_cast<T>(home_.threads_[static_cast<std::size_t>(thread_ ^ mask)].value[turn_]);
  }

 private:
  SteppedBlock& home_;
  int thread_;
  bool turn_ = false;
};

inline void SteppedBlock::run(int i) {
  try {
    Lane lane{*this, i};
    body_(run_, lane);
  } catch (...) {
    failed_ = std::current_exception();
  }
  state(i) = State::ended;
}

/// The Lane of kernels without barriers; it needs no stack.
/// `number` is that of the thread, and `at_block` that of its block.
struct LoneLane {
  int number = 0;
  Index at_block = 0;
  [[nodiscard]] int thread() const { return number; }
  [[nodiscard]] Index block() const { return at_block; }
  void sync() {}
  template <class T>
  [[nodiscard]] T exchange(T value, int) {
    return value;
  }
};

/// The context of SteppedDevice. Work is done when it is queued, or added to a list while it is recorded.
class SteppedContext : public backend::HostContext {
 public:
  /// A piece of work that is queued or recorded.
  using Work = std::function<void()>;

  /// Recorded work that can be done again, and the memory that only it uses.
  class Recording {
   public:
    void replay() const {
      for (Work const& work : list_) work();
    }
    /// How many pieces of work there are.
    [[nodiscard]] std::size_t size() const { return list_.size(); }
    /// Bytes that the recorded work uses and nothing else does.
    [[nodiscard]] std::size_t reserved_bytes() const { return memory_->reserved_bytes(); }

   private:
    friend class SteppedContext;
    std::vector<Work> list_;
    std::shared_ptr<MemoryPool> memory_;
  };

  /// With one thread.
  SteppedContext() : SteppedContext(Options{.threads = 1}) {}
  /// As HostContext.
  explicit SteppedContext(Options options) : HostContext(options) {}

  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) {
    return recording() ? allocate_shared_block(state_.memory(), bytes) : HostContext::allocate(bytes);
  }
  /// Whether this is memory of the device: tensors are, and values of the host are not.
  [[nodiscard]] bool holds(void const* address) {
    return memory().holds(address) || (recording() && state_.memory()->holds(address));
  }
  /// Does `work` now, or adds it to the recording.
  void queue(Work work) {
    if (recording())
      list_.push_back(std::move(work));
    else
      work();
  }
  /// See backend::Recordable. If `work` throws, nothing is left behind.
  [[nodiscard]] Recording record(std::uint64_t const* rng_offset, FunctionRef<void()> work) {
    state_.begin(std::make_shared<MemoryPool>(), rng_offset);
    Recording result;
    try {
      work();
    } catch (...) {
      state_.end();
      list_.clear();
      throw;
    }
    result.memory_ = state_.end();
    result.list_ = std::exchange(list_, {});
    return result;
  }
  /// Whether work is recorded instead of done.
  [[nodiscard]] bool recording() const { return state_.recording(); }
  /// Where random kernels read how many steps they are after the recorded step; null unless recording.
  [[nodiscard]] std::uint64_t const* rng_offset() const { return state_.rng_offset(); }
  [[nodiscard]] backend::RecordingState& recording_state() { return state_; }
  /// The threads of kernels with barriers, made when they are first asked for.
  [[nodiscard]] std::shared_ptr<SteppedBlock> stepped_block() {
    if (stepped_ == nullptr) stepped_ = std::make_shared<SteppedBlock>();
    return stepped_;
  }

 private:
  backend::RecordingState state_;
  std::vector<Work> list_;
  std::shared_ptr<SteppedBlock> stepped_;
};

/// The Device of backend::cuda::Kernels on a host.
struct SteppedDevice {
  using Context = SteppedContext;

  /// Queues `blocks` blocks of `kernel`.
  template <class Kernel>
  static void launch(Context& context, Index blocks, Kernel const& kernel) {
    if constexpr (Kernel::synchronises)
      context.queue(
          [blocks, kernel, stepped = context.stepped_block()] { step_through(blocks, kernel, *stepped); });
    else
      context.queue([blocks, kernel] { call_each(blocks, kernel); });
  }

 private:
  template <class Kernel>
  static void call_each(Index blocks, Kernel const& kernel) {
    typename Kernel::Shared shared{};
    for (Index block = 0; block < blocks; ++block)
      for (int i = 0; i < backend::cuda::block_threads; ++i) {
        LoneLane lane{i, block};
        kernel(lane, shared);
      }
  }
  template <class Kernel>
  static void step_through(Index blocks, Kernel const& kernel, SteppedBlock& stepped) {
    using Shared = typename Kernel::Shared;
    auto const shared = std::make_unique<Shared>();
    for (Index block = 0; block < blocks; ++block) {
      // Values that a block leaves must not help the next one.
      std::memset(static_cast<void*>(shared.get()), 0xFF, sizeof(Shared));
      stepped.step_through(block, [&](SteppedBlock::Lane& lane) { kernel(lane, *shared); });
    }
  }
};

}  // namespace diffsiam::testing
