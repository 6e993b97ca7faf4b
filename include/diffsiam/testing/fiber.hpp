// Fiber: a function on a stack of its own, which stops in the middle and is continued later. Everything is
// within one thread of the host. Stopping and continuing call no system function, except in programs whose
// stacks a sanitizer watches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <setjmp.h>
#include <ucontext.h>

#include <diffsiam/config.hpp>

namespace diffsiam::testing {

/// A function that can stop, and its stack.
class Fiber {
 public:
  /// `body` may call stop() of this fiber, and must not throw.
  explicit Fiber(std::function<void()> body) : body_(std::move(body)) {}
  Fiber(Fiber const&) = delete;
  Fiber& operator=(Fiber const&) = delete;
  ~Fiber() = default;

  /// Continues the body where it has stopped, or begins it if it has not begun or has ended. Returns when it
  /// stops or ends.
  void resume() {
    if constexpr (jumps) {
      if (_setjmp(outside_) == 0) go_in();
    } else {
      go_in();
    }
  }
  /// Within the body: returns when the fiber is resumed.
  void stop() {
    if constexpr (jumps) {
      if (_setjmp(inside_) == 0) _longjmp(outside_, 1);
    } else {
      swapcontext(&start_, &return_);
    }
  }
  /// Whether the body has ended, or has not begun.
  [[nodiscard]] bool ended() const { return ended_; }
  /// Forgets where the body has stopped. Its local objects are not destroyed.
  void abandon() {
    entered_ = false;
    ended_ = true;
  }

 private:
  static constexpr bool jumps = DIFFSIAM_STACK_IS_WATCHED == 0;
  /// Not a power of two: the ends of the stacks of many fibers would otherwise share a few lines of a cache.
  static constexpr std::size_t stack_bytes = (std::size_t{1} << 16) + std::size_t{17} * 64;

  void go_in() {
    if (entered_ && jumps) _longjmp(inside_, 1);
    if (!entered_) {
      getcontext(&start_);
      start_.uc_stack.ss_sp = stack_.get();
      start_.uc_stack.ss_size = stack_bytes;
      auto const self = reinterpret_cast<std::uintptr_t>(this);
      makecontext(&start_, reinterpret_cast<void (*)()>(&Fiber::enter), 2, static_cast<unsigned>(self),
                  static_cast<unsigned>(self >> 32));
      entered_ = true;
    }
    swapcontext(&return_, &start_);  // returns only if there are no jumps
  }
  static void enter(unsigned low, unsigned high) {
    auto const address = static_cast<std::uintptr_t>(low) | static_cast<std::uintptr_t>(high) << 32;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): makecontext hands over ints only.
    auto& self = *reinterpret_cast<Fiber*>(address);
    for (;;) {
      self.ended_ = false;
      self.body_();
      self.ended_ = true;
      self.stop();
    }
  }

  std::function<void()> body_;
  std::unique_ptr<char[]> stack_{new char[stack_bytes]};
  bool entered_ = false, ended_ = true;
  jmp_buf outside_{}, inside_{};
  ucontext_t return_{}, start_{};
};

}  // namespace diffsiam::testing
