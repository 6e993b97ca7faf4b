// Parameter and Buffer: the state that a module owns. Both are handles to shared state, so optimizers, EMA,
// checkpoints and a decoder that borrows a denoiser all see the same weights.
#pragma once

#include <memory>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam {

/// How published PyTorch weights store this weight. Here, convolutions are (out, kh, kw, in) and flattened
/// images are (h, w, c).
struct PublishedLayout {
  /// How the extents are ordered in published files.
  enum class Kind {
    same,       ///< vectors and linear weights (out, in)
    conv,       ///< published (out, in, kh, kw)
    conv_1d,    ///< published (out, in, 1), here (out, in)
    flattened,  ///< a linear weight whose columns are published in (c, h, w) order, here (h, w, c)
  };
  Kind kind = Kind::same;  ///< the order of the extents in published files
  Index h = 1, w = 1;      ///< of the flattened image
};

/// A trainable weight: its value, its gradient, and whether it is trainable. Copies share all of these.
template <class B>
class Parameter {
 public:
  using Backend = B;

  Parameter() = default;
  DIFFSIAM_OUT_OF_LINE Parameter(Parameter const&) = default;
  DIFFSIAM_OUT_OF_LINE Parameter(Parameter&&) = default;
  DIFFSIAM_OUT_OF_LINE Parameter& operator=(Parameter const&) = default;
  DIFFSIAM_OUT_OF_LINE Parameter& operator=(Parameter&&) = default;
  DIFFSIAM_OUT_OF_LINE ~Parameter() {}  // NOLINT: a defaulted one would be copied into its callers
  /// Trainable, without a gradient yet. The value is shared, not copied.
  explicit Parameter(Tensor<B> value, PublishedLayout layout = {})
      : state_(std::make_shared<State>(State{std::move(value), {}, layout, true})) {}

  /// False for a parameter that its layer does not have, for example a missing bias.
  [[nodiscard]] explicit operator bool() const { return state_ != nullptr; }
  /// The weight itself; its memory is shared by all copies.
  [[nodiscard]] Tensor<B> const& value() const& { return state_->value; }
  [[nodiscard]] Tensor<B> value() const&& { return state_->value; }
  [[nodiscard]] Shape const& shape() const& { return state_->value.shape(); }
  [[nodiscard]] Shape shape() const&& { return state_->value.shape(); }
  /// How published files store it.
  [[nodiscard]] PublishedLayout const& published_layout() const& { return state_->layout; }
  [[nodiscard]] PublishedLayout published_layout() const&& { return state_->layout; }

  /// The accumulated gradient. It is allocated and set to zero when it is first asked for.
  [[nodiscard]] Tensor<B> const& gradient() const& {
    if (!state_->gradient) state_->gradient = Tensor<B>::zeros(state_->value.context(), shape());
    return state_->gradient;
  }
  [[nodiscard]] Tensor<B> gradient() const&& { return gradient(); }
  /// A parameter that is not trainable (frozen) is not recorded and has no gradient.
  [[nodiscard]] bool trainable() const { return state_->trainable; }
  /// Freezing it frees its gradient.
  void set_trainable(bool trainable) const {
    state_->trainable = trainable;
    if (!trainable) state_->gradient = {};
  }
  /// Whether both are handles to one parameter.
  [[nodiscard]] bool same_as(Parameter const& other) const { return state_ == other.state_; }
  /// A key for look-ups: the same for all copies, and different for every other parameter.
  [[nodiscard]] void const* id() const { return state_.get(); }

 private:
  struct State {
    Tensor<B> value, gradient;
    PublishedLayout layout;
    bool trainable;
  };
  std::shared_ptr<State> state_;
};

/// State that training changes without a gradient, for example running statistics. A forward pass proposes
/// the next value and the training step commits it, so a step that is thrown away changes nothing.
template <class B>
class Buffer {
 public:
  using Backend = B;

  Buffer() = default;
  DIFFSIAM_OUT_OF_LINE Buffer(Buffer const&) = default;
  DIFFSIAM_OUT_OF_LINE Buffer(Buffer&&) = default;
  DIFFSIAM_OUT_OF_LINE Buffer& operator=(Buffer const&) = default;
  DIFFSIAM_OUT_OF_LINE Buffer& operator=(Buffer&&) = default;
  DIFFSIAM_OUT_OF_LINE ~Buffer() {}  // NOLINT: a defaulted one would be copied into its callers
  /// Without a proposal. The value is shared, not copied.
  explicit Buffer(Tensor<B> value) : state_(std::make_shared<State>(State{std::move(value), {}, false})) {}

  /// False for a buffer that its layer does not have.
  [[nodiscard]] explicit operator bool() const { return state_ != nullptr; }
  /// The current value.
  [[nodiscard]] Tensor<B> const& value() const& { return state_->value; }
  [[nodiscard]] Tensor<B> value() const&& { return state_->value; }
  [[nodiscard]] Shape const& shape() const& { return state_->value.shape(); }
  [[nodiscard]] Shape shape() const&& { return state_->value.shape(); }
  /// The proposed next value. It begins as a copy of the current value.
  [[nodiscard]] Tensor<B> const& proposal() const& {
    if (!state_->proposal) state_->proposal = Tensor<B>{state_->value.context(), shape()};
    if (!state_->proposed) state_->proposal.assign(state_->value);
    state_->proposed = true;
    return state_->proposal;
  }
  [[nodiscard]] Tensor<B> proposal() const&& { return proposal(); }
  /// Whether a forward pass has proposed a value that is neither committed nor discarded.
  [[nodiscard]] bool proposed() const { return state_->proposed; }
  /// Makes the proposed value, if there is one, the current value.
  void commit() const {
    if (state_->proposed) state_->value.assign(state_->proposal);
    state_->proposed = false;
  }
  /// Forgets the proposed value.
  void discard() const { state_->proposed = false; }
  /// Whether both are handles to one buffer.
  [[nodiscard]] bool same_as(Buffer const& other) const { return state_ == other.state_; }

 private:
  struct State {
    Tensor<B> value, proposal;
    bool proposed;
  };
  std::shared_ptr<State> state_;
};

template <class B>
inline constexpr int reading_strength<Parameter<B>> = 0;

}  // namespace diffsiam
