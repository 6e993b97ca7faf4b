// RoundedWeights: weights in 16 bits that were rounded together, for all products and convolutions while a
// Scope lives.
#pragma once

#include <map>
#include <memory>
#include <utility>

#include <diffsiam/backend/cuda/math.hpp>

namespace diffsiam::backend::cuda {

class RoundedWeights {
 public:
  /// The rounded copy of weights, by their address and the type of the copy.
  using Copies = std::map<std::pair<void const*, Element>, void*>;

  /// While it lives, the copies take the place of the weights, which may not change.
  class [[nodiscard]] Scope {
   public:
    Scope(RoundedWeights& owner, Copies copies, std::shared_ptr<void> memory)
        : owner_(&owner),
          before_(std::exchange(owner.copies_, std::move(copies))),
          memory_(std::move(memory)) {}
    Scope(Scope const&) = delete;
    Scope& operator=(Scope const&) = delete;
    ~Scope() { owner_->copies_ = std::move(before_); }

   private:
    RoundedWeights* owner_;
    Copies before_;  ///< of the scope around this one
    std::shared_ptr<void> memory_;
  };

  /// Null if there is no copy.
  [[nodiscard]] void* find(void const* weights, Element type) const {
    auto const found = copies_.find({weights, type});
    return found != copies_.end() ? found->second : nullptr;
  }

 private:
  Copies copies_;
};

}  // namespace diffsiam::backend::cuda
