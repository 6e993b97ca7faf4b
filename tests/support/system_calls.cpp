#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <tests/support/system_calls.hpp>
#include <unistd.h>

namespace diffsiam::test {

namespace {

int failing = -1, failing_error = 0;
int sizes_before = 0;
std::function<void()> after_size;

bool fails(Call call) {
  if (failing != static_cast<int>(call)) return false;
  errno = failing_error;
  return true;
}

}  // namespace

FailingCall::FailingCall(Call call, int error) {
  failing = static_cast<int>(call);
  failing_error = error;
}
FailingCall::~FailingCall() {
  failing = -1;
}
AfterSize::AfterSize(int after, std::function<void()> action) {
  sizes_before = after;
  after_size = std::move(action);
}
AfterSize::~AfterSize() {
  after_size = nullptr;
}

}  // namespace diffsiam::test

using namespace diffsiam::test;

extern "C" {

int fsync(int file) {
  return fails(Call::fsync) ? -1 : static_cast<int>(::syscall(SYS_fsync, file));
}
int rename(char const* from, char const* to) noexcept {
  return fails(Call::rename) ? -1
                             : static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
int ftruncate(int file, off_t size) noexcept {
  return fails(Call::ftruncate) ? -1 : static_cast<int>(::syscall(SYS_ftruncate, file, size));
}
int fstat(int file, struct stat* status) noexcept {
  int const result = ::fstatat(file, "", status, AT_EMPTY_PATH);
  if (after_size && sizes_before-- == 0) std::exchange(after_size, nullptr)();
  return result;
}
}
