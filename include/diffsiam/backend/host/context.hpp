// HostContext: the context of the backends for CPUs. It holds threads, memory, and optionally an observer.
#pragma once

#include <memory>

#include <diffsiam/backend/host/prepacked_weights.hpp>
#include <diffsiam/core/memory_pool.hpp>
#include <diffsiam/core/observer.hpp>
#include <diffsiam/core/thread_pool.hpp>

namespace diffsiam::backend {

/// Only one thread at a time may use it. Tensors may outlive it, but operations on them need it.
class HostContext {
 public:
  struct Options {
    int threads = 0;  ///< 0 means all cores
  };

  /// With all cores.
  HostContext() : HostContext(Options{}) {}
  /// Starts the threads. Throws ConfigError for a number that ThreadPool refuses.
  explicit HostContext(Options options)
      : memory_(std::make_shared<MemoryPool>()), threads_(std::make_unique<ThreadPool>(options.threads)) {}

  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) {
    return allocate_shared_block(memory_, bytes);
  }
  /// The pool of all tensors and workspaces.
  [[nodiscard]] MemoryPool& memory() { return *memory_; }
  [[nodiscard]] ThreadPool& threads() { return *threads_; }
  /// See keep_prepacked_weights.
  [[nodiscard]] PrepackedWeights& prepacked_weights() { return prepacked_weights_; }
  /// The observer, which is called for every operation; null (the default) if there is none. It is borrowed.
  [[nodiscard]] Observer* observer() const { return observer_; }
  /// `observer` is borrowed, and null ends the observation.
  void set_observer(Observer* observer) { observer_ = observer; }

 private:
  std::shared_ptr<MemoryPool> memory_;
  std::unique_ptr<ThreadPool> threads_;
  PrepackedWeights prepacked_weights_;
  Observer* observer_ = nullptr;
};

}  // namespace diffsiam::backend
