// Forward and Backward: the arguments of an operation's forward pass and of its backward pass.
#pragma once

#include <array>
#include <span>

#include <diffsiam/core/strided.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam {

/// What a forward pass keeps for the backward pass besides inputs and output, such as means and dropout
/// masks.
template <class B>
using Saved = std::array<Tensor<B>, 3>;

/// One forward pass. `out` is allocated and its contents are indeterminate; `saved` is null when nothing is
/// recorded.
template <class B>
struct Forward {
  typename B::Context& context;   ///< where tensors live and work is done
  std::span<Tensor<B> const> in;  ///< the inputs, in the order of evaluate()
  Tensor<B> const& out;
  Saved<B>* saved = nullptr;

  /// A new tensor for the time of the pass, with indeterminate contents.
  [[nodiscard]] Tensor<B> scratch(Shape const& shape) const { return {context, shape}; }
  /// Keeps a tensor for the backward pass, if there will be one.
  void save(std::size_t slot, Tensor<B> const& tensor) const {
    if (saved != nullptr) (*saved)[slot] = tensor;
  }
};

/// One backward pass. `dy` is the gradient of `out`. Gradients of the inputs are accumulated.
template <class B>
struct Backward {
  typename B::Context& context;   ///< where tensors live and work is done
  std::span<Tensor<B> const> in;  ///< inputs that were not kept have a shape and no data
  Tensor<B> const& out;           ///< as for inputs
  Tensor<B> const& dy;
  Saved<B> const& saved;                  ///< what the forward pass gave to save()
  std::span<Tensor<B>* const> gradients;  ///< one for each input; see gradient()
  std::span<Tensor<B> const> so_far{};    ///< one for each input, or none; see earlier()

  /// The gradient of input `i` to accumulate into; null if it is not needed.
  [[nodiscard]] Tensor<B> const* gradient(std::size_t i) const { return gradients[i]; }
  /// The gradient of input `i` in low precision before this pass, which an operation with StorageRule::adds
  /// adds to its own; null if there is nothing to add.
  [[nodiscard]] backend::ReadBy<B> earlier(std::size_t i) const {
    if (i < so_far.size() && so_far[i]) return so_far[i].storage();
    return nullptr;
  }
  /// Adds into a gradient, where the first operand is: f is `y += ...`. A gradient in low precision, as an
  /// operation with StorageRule::Native::all gets it, has no value yet and is written by f.overwriting().
  template <class F, class To, class... From>
  void accumulate(Grid const& grid, F const& f, To const& to, From const&... from) const {
    if constexpr (may_be_low_precision<To>)
      if (is_low_precision(to.data)) return B::for_each(context, grid, f.overwriting(), to, from...);
    B::for_each(context, grid, f, in_full_precision(to), from...);
  }
  /// Makes dy itself the gradient of input i, without a copy, where both are in low precision; false, and
  /// nothing done, otherwise.
  [[nodiscard]] bool hands_on(std::size_t i) const {
    if (!gradients[i]->is_low_precision() || !dy.is_low_precision()) return false;
    *gradients[i] = dy;
    return true;
  }
  /// A new tensor for the time of the pass, with indeterminate contents.
  [[nodiscard]] Tensor<B> scratch(Shape const& shape) const { return {context, shape}; }
  /// The same, filled with 0.
  [[nodiscard]] Tensor<B> zeros(Shape const& shape) const { return Tensor<B>::zeros(context, shape); }
};

}  // namespace diffsiam
