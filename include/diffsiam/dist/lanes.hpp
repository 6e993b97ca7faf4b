// Lanes: runs one function for each piece of a rank, so that all of them can meet on the way. One lane runs
// at a time, always in the same order; they have threads of their own only if they do meet.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/function_ref.hpp>

namespace diffsiam::dist {

/// One function in as many lanes as a rank has pieces. Used by one thread at a time.
class Lanes {
 public:
  /// What a lane runs; lanes are numbered from 0.
  using Work = FunctionRef<void(int lane)>;

  /// `count` is 1 or more.
  explicit Lanes(int count) : count_(count), waits_(static_cast<std::size_t>(count)) {}
  /// The number of lanes.
  [[nodiscard]] int count() const { return count_; }

  /// Runs work(0), work(1), ... work(count - 1). If one throws, those that wait in meet() are left, too, and
  /// the exception is rethrown here. Throws Error if some lanes meet more often than others.
  void run(Work work) {
    work_ = &work;
    started_ = 0;
    error_ = nullptr;
    while (started_ < count_ && !error_) carry_out(started_++);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    if (error_) std::rethrow_exception(error_);
  }

  /// Called by all lanes at the same points of their work: the last one calls act(), and then all go on.
  template <class Act>
  void meet(int lane, Act&& act) {
    if (error_) throw Left{};
    if (lane + 1 < count_) {
      pause(lane, lane + 1);
      return;
    }
    if (waiting() != count_ - 1)
      throw Error("Lanes: expected all pieces to meet at the same points, got one that meets more often");
    act();
    if (count_ > 1) pause(lane, 0);
  }

 private:
  /// Leaves a lane that waits while another one has failed.
  struct Left {};

  void carry_out(int lane) {
    try {
      (*work_)(lane);
    } catch (Left const&) {  // NOLINT(bugprone-empty-catch): the error is known
    } catch (...) {
      if (!error_) error_ = std::current_exception();
    }
    std::lock_guard const lock{mutex_};
    bool const last = lane + 1 == count_;
    if (!error_ && last && waiting() > 0)
      error_ = std::make_exception_ptr(
          Error("Lanes: expected all pieces to meet at the same points, got one that meets less often"));
    if (error_)
      turn_ = static_cast<int>(std::find(waits_.begin(), waits_.end(), char{1}) - waits_.begin());
    else if (!last)
      turn_ = lane + 1;
    turned_.notify_all();
  }
  /// Gives the turn to another lane, and waits until it comes back.
  void pause(int lane, int next) {
    std::unique_lock lock{mutex_};
    waits_[static_cast<std::size_t>(lane)] = 1;
    turn_ = next;
    if (next == started_) {
      threads_.emplace_back([this, next] { carry_out(next); });
      ++started_;
    }
    turned_.notify_all();
    turned_.wait(lock, [&] { return turn_ == lane; });
    waits_[static_cast<std::size_t>(lane)] = 0;
    if (error_) throw Left{};
  }
  [[nodiscard]] int waiting() const {
    return static_cast<int>(std::count(waits_.begin(), waits_.end(), char{1}));
  }

  int count_;
  Work* work_ = nullptr;
  int started_ = 0;
  std::exception_ptr error_;
  // Only the lane whose turn it is touches what stands above.
  std::mutex mutex_;
  std::condition_variable turned_;
  int turn_ = 0;
  std::vector<char> waits_;
  std::vector<std::thread> threads_;
};

}  // namespace diffsiam::dist
