// PrepackedWeights: weights as a backend rearranges them before it multiplies, kept while somebody asks for
// it. At small batches, rearranging costs more than multiplying. Weights may be written by anybody who has a
// pointer, and another net may come to stand where a freed one was; so what is kept is used only where the
// weights have the fingerprint that they had.
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

class PrepackedWeights {
 public:
  /// Bytes at most; what does not fit is rearranged at every call.
  static constexpr std::size_t capacity = std::size_t{1} << 28;

  /// Which rearrangement of which weights.
  enum class Form { panels, turned_panels, winograd, turned_winograd };
  struct Key {
    void const* weights;
    std::size_t weight_bytes;
    Form form;
    Index in, out, kernel;
    [[nodiscard]] bool operator==(Key const&) const = default;
  };
  /// Of weights (out, kernel, kernel, in).
  template <class T>
  [[nodiscard]] static Key key_of(T const* weights, Form form, Index in, Index out, Index kernel) {
    return {weights, static_cast<std::size_t>(in * out * kernel * kernel) * sizeof(T), form, in, out, kernel};
  }

  /// Keeps them while it lives. A promise begins with nothing: what was kept before is looked at once
  /// more.
  class Scope {
   public:
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

  /// `bytes` that `fill` wrote from the weights as they are, now or at an earlier call within a scope; memory
  /// comes from allocate(bytes).
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
  /// Whether somebody asks for it now.
  [[nodiscard]] bool keeping() const { return scopes_ > 0; }
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    Key key;
    std::size_t bytes;
    std::optional<Fingerprint> weights;  ///< nothing where it was made under a promise
    std::uint64_t promise;               ///< the last one before or at the time when the weights were read
    std::shared_ptr<void> packed;
  };

  /// Null where nothing is kept.
  [[nodiscard]] Kept* find(Key const& key, std::size_t bytes) {
    // Backends of several types of operands may share a context: what they keep differs in size.
    for (Kept& kept : kept_)
      if (kept.key == key && kept.bytes == bytes) return &kept;
    return nullptr;
  }

  std::vector<Kept> kept_;  ///< some hundreds at most: looked through faster than any of them is used
  std::size_t bytes_ = 0;
  int scopes_ = 0, promises_ = 0;
  std::uint64_t promise_ = 0;  ///< how many times promising began
};

}  // namespace diffsiam::backend
