// HostContext: what the backends of the CPU carry from call to call: threads and memory, and a profile if
// asked.
#pragma once

#include <memory>

#include <diffsiam/backend/host/kernel_cache.hpp>
#include <diffsiam/core/memory_pool.hpp>
#include <diffsiam/core/profile.hpp>
#include <diffsiam/core/thread_pool.hpp>

namespace diffsiam::backend {

/// Used by one thread at a time. Tensors may outlive it; operations on them may not.
class HostContext {
 public:
  struct Options {
    int threads = 0;  ///< 0: all cores
  };

  HostContext() : HostContext(Options{}) {}
  explicit HostContext(Options options)
      : memory_(std::make_shared<MemoryPool>()), threads_(std::make_unique<ThreadPool>(options.threads)) {}

  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) {
    return allocate_shared_block(memory_, bytes);
  }
  [[nodiscard]] MemoryPool& memory() { return *memory_; }
  [[nodiscard]] ThreadPool& threads() { return *threads_; }
  /// Weights as they were rearranged; see keep_kernels.
  [[nodiscard]] KernelCache& kernels() { return kernels_; }
  /// Where the time of operations is noted; null (nowhere) unless set. Borrowed.
  [[nodiscard]] Profile* profile() const { return profile_; }
  void set_profile(Profile* profile) { profile_ = profile; }

 private:
  std::shared_ptr<MemoryPool> memory_;
  std::unique_ptr<ThreadPool> threads_;
  KernelCache kernels_;
  Profile* profile_ = nullptr;
};

}  // namespace diffsiam::backend
