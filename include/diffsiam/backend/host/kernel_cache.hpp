// KernelCache: weights as a backend rearranges them before it multiplies, kept while somebody promises that
// they stay as they are. At small batches, rearranging costs more than multiplying.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend {

class KernelCache {
 public:
  /// Bytes at most; what does not fit is rearranged at every call.
  static constexpr std::size_t capacity = std::size_t{1} << 28;

  /// Which rearrangement of which weights.
  enum class Form { panels, turned_panels, winograd, turned_winograd };
  struct Key {
    void const* weights;
    Form form;
    Index in, out, kernel;
    [[nodiscard]] bool operator==(Key const&) const = default;
  };

  /// Holds the promise: while it lives, no weights that convolutions read are written or freed.
  class Scope {
   public:
    explicit Scope(KernelCache& cache) : cache_(&cache) { ++cache_->scopes_; }
    Scope(Scope const&) = delete;
    Scope& operator=(Scope const&) = delete;
    ~Scope() {
      if (--cache_->scopes_ > 0) return;
      cache_->kernels_.clear();
      cache_->bytes_ = 0;
    }

   private:
    KernelCache* cache_;
  };

  /// `bytes` that `fill` wrote, now or at an earlier call within a scope; memory comes from allocate(bytes).
  [[nodiscard]] std::shared_ptr<void> get(Key const& key, std::size_t bytes,
                                          FunctionRef<std::shared_ptr<void>(std::size_t)> allocate,
                                          FunctionRef<void(void*)> fill) {
    if (keeping())
      for (Kept const& kept : kernels_)
        // Backends of several types of operands may share a context: their kernels differ in size.
        if (kept.key == key && kept.bytes == bytes) return kept.kernel;
    std::shared_ptr<void> kernel = allocate(bytes);
    fill(kernel.get());
    if (keeping() && bytes_ + bytes <= capacity) {
      kernels_.push_back({key, bytes, kernel});
      bytes_ += bytes;
    }
    return kernel;
  }
  /// Whether somebody promises now.
  [[nodiscard]] bool keeping() const { return scopes_ > 0; }
  [[nodiscard]] std::size_t size() const { return kernels_.size(); }

 private:
  struct Kept {
    Key key;
    std::size_t bytes;
    std::shared_ptr<void> kernel;
  };
  std::vector<Kept> kernels_;  ///< some hundreds at most: looked through faster than any of them is used
  std::size_t bytes_ = 0;
  int scopes_ = 0;
};

}  // namespace diffsiam::backend
