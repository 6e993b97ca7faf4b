// PrepackedWeights: keeps weights in the packed form that products need, as long as a Scope lives. At small
// batch sizes packing costs more than multiplying. Anyone with a pointer may write to weights, and another
// network may come to use freed memory. So packed weights are used only if the fingerprint of the weights is
// unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <diffsiam/backend/host/fingerprint.hpp>
#include <diffsiam/core/function_ref.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/tensor/prepacked_weights.hpp>

namespace diffsiam::backend {

/// A cache with a limit. It belongs to a context, and is used by the same thread.
class PrepackedWeights {
 public:
  /// The most bytes that are kept. Weights beyond that are packed at every call.
  static constexpr std::size_t capacity = std::size_t{1} << 28;

  /// Which packed form of which weights.
  enum class Form { panels, turned_panels, winograd, turned_winograd };
  /// What is kept: `weights` is where they are, `weight_bytes` how many, `form` how they are packed, and
  /// `in`, `out` and `kernel` are their extents.
  struct Key {
    void const* weights;
    std::size_t weight_bytes;
    Form form;
    Index in, out, kernel;
    [[nodiscard]] bool operator==(Key const&) const = default;
  };
  /// The key of weights (out, kernel, kernel, in).
  template <class T>
  [[nodiscard]] static Key key_of(T const* weights, Form form, Index in, Index out, Index kernel) {
    return {weights, static_cast<std::size_t>(in * out * kernel * kernel) * sizeof(T), form, in, out, kernel};
  }

  /// Packed weights are kept while a Scope lives. WeightPromise::stay means that weights do not change
  /// meanwhile: each is then checked only once after the promise begins.
  class Scope {
   public:
    /// Begins to keep weights in `owner`, which must outlive the scope, with the promise that `weights`
    /// makes.
    Scope(PrepackedWeights& owner, WeightPromise weights)
        : owner_(&owner), promises_(weights == WeightPromise::stay) {
      ++owner.scopes_;
      if (promises_ && ++owner.promises_ == 1) ++owner.promise_;
    }
    Scope(Scope const&) = delete;
    Scope& operator=(Scope const&) = delete;
    ~Scope() {
      if (promises_) --owner_->promises_;
      if (--owner_->scopes_ > 0) return;
      owner_->kept_.clear();
      owner_->bytes_ = 0;
    }

   private:
    PrepackedWeights* owner_;
    bool promises_;
  };

  /// Memory of `bytes` bytes that `fill` has written from the current weights, now or at an earlier call
  /// within a Scope. New memory comes from allocate(bytes).
  [[nodiscard]] std::shared_ptr<void> get(ThreadPool& threads, Key const& key, std::size_t bytes,
                                          FunctionRef<std::shared_ptr<void>(std::size_t)> allocate,
                                          FunctionRef<void(void*)> fill) {
    Kept* const kept = find(key, bytes);
    bool const promised = promises_ > 0;
    if (kept != nullptr && promised && kept->promise == promise_) return kept->packed;
    std::optional<Fingerprint> weights;
    if (kept != nullptr || (keeping() && !promised))
      weights = fingerprint(threads, key.weights, key.weight_bytes);
    if (kept != nullptr && kept->weights.has_value() && kept->weights == weights) {
      kept->promise = promise_;
      return kept->packed;
    }
    std::shared_ptr<void> packed = allocate(bytes);
    fill(packed.get());
    if (kept != nullptr) {
      *kept = {key, bytes, weights, promise_, packed};
    } else if (keeping() && bytes_ + bytes <= capacity) {
      kept_.push_back({key, bytes, weights, promise_, packed});
      bytes_ += bytes;
    }
    return packed;
  }
  /// Whether a Scope lives.
  [[nodiscard]] bool keeping() const { return scopes_ > 0; }
  /// The number of packed weights that are kept.
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    Key key;
    std::size_t bytes;
    std::optional<Fingerprint> weights;  ///< empty if it was packed under a promise
    std::uint64_t promise;               ///< the latest promise when the weights were read
    std::shared_ptr<void> packed;
  };

  /// Null if there is no such entry.
  [[nodiscard]] Kept* find(Key const& key, std::size_t bytes) {
    // Backends with different types of operands may share a context; their entries differ in size.
    for (Kept& kept : kept_)
      if (kept.key == key && kept.bytes == bytes) return &kept;
    return nullptr;
  }

  std::vector<Kept> kept_;  ///< some hundreds at most, so a linear search is fast enough
  std::size_t bytes_ = 0;
  int scopes_ = 0, promises_ = 0;
  std::uint64_t promise_ = 0;  ///< how many promises have begun
};

}  // namespace diffsiam::backend
