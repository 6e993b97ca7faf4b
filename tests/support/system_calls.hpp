// System calls that fail when a test says so: system_calls.cpp stands in for those of the C library.
#pragma once

#include <cstdint>
#include <functional>

namespace diffsiam::test {

enum class Call { fsync, rename, ftruncate };

/// While it lives, `call` fails with `error` (of errno), in all threads. One at a time.
class FailingCall {
 public:
  FailingCall(Call call, int error);
  FailingCall(FailingCall const&) = delete;
  FailingCall& operator=(FailingCall const&) = delete;
  ~FailingCall();
};

/// While it lives, `action` is called behind the call number `after` (0: the first) of fstat: when a reader
/// has just learned how large its file is. One at a time.
class AfterSize {
 public:
  AfterSize(int after, std::function<void()> action);
  AfterSize(AfterSize const&) = delete;
  AfterSize& operator=(AfterSize const&) = delete;
  ~AfterSize();
};

}  // namespace diffsiam::test
