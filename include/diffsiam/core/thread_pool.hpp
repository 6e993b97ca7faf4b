// ThreadPool: the library's own threads. Work is divided into numbered pieces by shape, never by the number
// of threads, so results do not depend on how many threads there are.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// `threads` workers, including the caller. One caller at a time.
class ThreadPool {
 public:
  /// f(piece, worker): worker is in [0, threads()).
  using Work = FunctionRef<void(Index, int)>;

  /// More threads would only wait for each other, and take minutes to start.
  static constexpr int most_threads = 1024;

  /// 0 means all cores. Throws ConfigError for a count outside [0, most_threads].
  explicit ThreadPool(int threads = 0)
      : threads_(resolve(threads)),
        tallies_(new Tally[static_cast<std::size_t>(threads_)]),
        workers_(new std::thread[static_cast<std::size_t>(threads_)]) {
    try {
      for (int worker = 1; worker < threads_; ++worker)
        workers_[static_cast<std::size_t>(worker)] = std::thread{[this, worker] { serve(worker); }};
    } catch (...) {
      stop();  // the threads that have started
      throw;
    }
  }
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;
  ~ThreadPool() { stop(); }

  /// Workers, including the caller: 1 to most_threads.
  [[nodiscard]] int threads() const { return threads_; }
  /// Pieces that worker `worker` has done so far.
  [[nodiscard]] std::uint64_t pieces_done(int worker) const {
    return tallies_[static_cast<std::size_t>(worker)].pieces.load();
  }

  /// Runs work(0 .. pieces-1) and waits. The first exception of a piece is rethrown here.
  void run(Index pieces, Work work) {
    if (pieces <= 0) return;
    if (threads_ == 1 || pieces == 1) {
      for (Index piece = 0; piece < pieces; ++piece) work(piece, 0);
      tallies_[0].pieces += static_cast<std::uint64_t>(pieces);
      return;
    }
    {
      std::lock_guard const lock{mutex_};
      work_ = &work;
      pieces_ = pieces;
      next_.store(0);
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    take_pieces(work, 0);
    {
      // A worker that has not woken yet finds nothing to do, and nobody waits for it.
      std::lock_guard const lock{mutex_};
      work_ = nullptr;
    }
    while (busy_.load() != 0) std::this_thread::yield();
    if (std::exception_ptr error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
  }

 private:
  struct alignas(64) Tally {
    std::atomic<std::uint64_t> pieces{0};
  };

  static int resolve(int threads) {
    if (threads < 0 || threads > most_threads)
      fail<ConfigError>("ThreadPool", {"0 (all cores) to ", most_threads, " threads"}, threads);
    if (threads > 0) return threads;
    auto const cores = static_cast<int>(std::thread::hardware_concurrency());
    return cores > 0 ? cores : 1;
  }

  void stop() {
    {
      std::lock_guard const lock{mutex_};
      stopping_ = true;
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    for (int worker = 1; worker < threads_; ++worker)
      if (std::thread& thread = workers_[static_cast<std::size_t>(worker)]; thread.joinable()) thread.join();
  }

  void take_pieces(Work work, int worker) {
    std::uint64_t done = 0;
    for (Index piece = next_.fetch_add(1); piece < pieces_; piece = next_.fetch_add(1), ++done) {
      try {
        work(piece, worker);
      } catch (...) {
        std::lock_guard const lock{mutex_};
        if (!error_) error_ = std::current_exception();
      }
    }
    tallies_[static_cast<std::size_t>(worker)].pieces += done;
  }

  void serve(int worker) {
    std::uint64_t seen = 0;
    while (true) {
      // Operations follow each other within microseconds: check a few times before going to sleep.
      for (int look = 0; look < spins && generation_.load() == seen; ++look) std::this_thread::yield();
      Work const* work = nullptr;
      {
        std::unique_lock lock{mutex_};
        wake_.wait(lock, [&] { return generation_.load() != seen; });
        if (stopping_) return;
        seen = generation_.load();
        work = work_;
        if (work == nullptr) continue;
        busy_.fetch_add(1);
      }
      take_pieces(*work, worker);
      busy_.fetch_sub(1);
    }
  }

  static constexpr int spins = 200;

  int threads_;
  std::unique_ptr<Tally[]> tallies_;
  std::unique_ptr<std::thread[]> workers_;  ///< except worker 0, the caller
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<Index> next_{0};
  std::atomic<int> busy_{0};  ///< workers on the current work
  Work const* work_ = nullptr;
  Index pieces_ = 0;
  std::exception_ptr error_;
  bool stopping_ = false;
};

}  // namespace diffsiam
