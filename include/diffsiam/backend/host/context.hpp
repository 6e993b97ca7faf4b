// HostContext: what the backends of the CPU carry from call to call: threads and memory, and an observer if
// there is one.
#pragma once

#include <memory>

#include <diffsiam/backend/host/prepacked_weights.hpp>
#include <diffsiam/core/memory_pool.hpp>
#include <diffsiam/core/observer.hpp>
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
  /// See keep_prepacked_weights.
  [[nodiscard]] PrepackedWeights& prepacked_weights() { return prepacked_weights_; }
  /// Who is told of every operation; null (nobody) unless set. Borrowed.
  [[nodiscard]] Observer* observer() const { return observer_; }
  void set_observer(Observer* observer) { observer_ = observer; }

 private:
  std::shared_ptr<MemoryPool> memory_;
  std::unique_ptr<ThreadPool> threads_;
  PrepackedWeights prepacked_weights_;
  Observer* observer_ = nullptr;
};

}  // namespace diffsiam::backend
