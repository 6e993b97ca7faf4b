// The taped reading: an operation runs at once, and the tape records its backward pass.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <diffsiam/concepts/backend_options.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/tensor/joint_batch.hpp>
#include <diffsiam/value/node.hpp>

namespace diffsiam {

/// What layers do that differ between training and evaluation, such as batch norm and dropout.
enum class Mode { training, evaluation };

/// A value on a tape. It is cheap to copy, and valid as long as its tape.
template <class B>
class Taped {
 public:
  using Backend = B;

  /// The value without its history.
  [[nodiscard]] Tensor<B> const& value() const& { return value_; }
  [[nodiscard]] Tensor<B> value() const&& { return value_; }
  [[nodiscard]] Shape const& shape() const& { return value_.shape(); }
  [[nodiscard]] Shape shape() const&& { return value_.shape(); }
  [[nodiscard]] typename B::Context& context() const { return value_.context(); }
  /// The tape that records it.
  [[nodiscard]] Tape<B>& tape() const { return *tape_; }
  /// Null if the value needs no gradient, such as the pixels of a batch or a detached value.
  [[nodiscard]] Node<B>* node() const { return node_; }
  /// The gradient of a leaf after Tape::backward; an empty tensor if it got none.
  [[nodiscard]] Tensor<B> gradient() const {
    return node_ && node_->has_gradient() ? node_->gradient() : Tensor<B>{};
  }

 private:
  friend class Tape<B>;
  Taped(Tape<B>& tape, Node<B>* node, Tensor<B> value)
      : tape_(&tape), node_(node), value_(std::move(value)) {}

  Tape<B>* tape_;
  Node<B>* node_;
  Tensor<B> value_;
};

template <class B>
inline constexpr int reading_strength<Taped<B>> = 2;

/// Records operations, and runs their backward passes once. Each step needs a new tape. A tape is used by one
/// thread only.
template <class B>
class Tape {
 public:
  using Context = typename B::Context;
  /// How a tape records and what its operations see.
  struct Options {
    Mode mode = Mode::training;  ///< what layers do; Mode::evaluation records, too
    Rng rng{};                   ///< random numbers of dropout: key (seed, stream), counter (element, step)
    /// Values that are cheap to compute (of GroupNorm, concat, upsample_nearest) are not kept but computed
    /// again in the backward pass. This saves memory and costs little time (docs/performance.md), but not on
    /// backends that say so.
    bool rematerialize = !backend::KeepsCheapValues<B>;
    /// The batch of which this tape computes a piece; null if it computes all of it. It is borrowed.
    JointBatch<B>* joint = nullptr;
    /// Where gradients of parameters are added; null: to the parameters. It is borrowed.
    GradientPlace<B>* gradients = nullptr;
  };

  /// An empty tape. The context must outlive it.
  explicit Tape(Context& context, Options options = {}) : context_(&context), options_(options) {}
  Tape(Tape const&) = delete;
  Tape& operator=(Tape const&) = delete;
  ~Tape() {
    while (newest_) newest_ = std::move(newest_->previous_);
  }

  [[nodiscard]] Context& context() const { return *context_; }
  /// What Options::mode says.
  [[nodiscard]] Mode mode() const { return options_.mode; }
  /// Null if this tape computes the whole batch.
  [[nodiscard]] JointBatch<B>* joint() const { return options_.joint; }
  /// A new stream of random numbers of this tape; each call returns the next one.
  [[nodiscard]] Rng draw_stream() { return options_.rng.with_stream(options_.rng.stream + ++streams_); }

  /// Puts a tensor on the tape: operations on it are recorded, but it gets no gradient.
  [[nodiscard]] Taped<B> input(Tensor<B> value) { return {*this, nullptr, std::move(value)}; }
  /// Puts a tensor on the tape as a variable, whose gradient is kept.
  [[nodiscard]] Taped<B> variable(Tensor<B> value) {
    Node<B>* const node = append(new Node<B>, value.shape(), value.is_low_precision());
    return {*this, node, std::move(value)};
  }

  /// Adds the gradients of `scale` times the loss to all parameters and variables, and frees what was
  /// recorded. Throws ShapeError unless the loss has one element, Error if backward() has been called before.
  void backward(Taped<B> const& loss, double scale = 1.0) {
    if (loss.value().size() != 1) fail<ShapeError>("Tape::backward", "a loss with one element", loss.shape());
    backward(loss, Tensor<B>::filled(*context_, loss.shape(), static_cast<typename B::Scalar>(scale)));
  }
  /// Refuses what is on no tape of this backend.
  template <class V, class... Rest>
    requires(!std::is_same_v<V, Taped<B>>)
  void backward(V const&, Rest const&...) {
    static_assert(std::is_same_v<V, Taped<B>>,
                  "Tape::backward takes a value of its tape: give models tape.input(x) instead of x.");
  }
  /// The same from a given gradient of `output`, which has the shape of `output`.
  void backward(Taped<B> const& output, Tensor<B> const& gradient) {
    require_shape("Tape::backward", output.shape(), gradient.shape());
    if (std::exchange(played_, true))
      throw Error("Tape::backward: expected a fresh tape, got one that was played; record again");
    if (output.node() == nullptr) return;
    output.node()->gradient().assign(gradient);
    for (Node<B>* node = newest_.get(); node != nullptr; node = node->previous_.get()) {
      if (node->has_gradient()) node->backward();
      node->release();
    }
  }

  /// Calls visitor(Parameter<B> const&, bool reached) for each use of a trainable parameter, the latest
  /// first. `reached` says whether backward() has added to its gradient through this use.
  template <class Visitor>
  void for_each_parameter(Visitor&& visitor) const {
    for (auto const* use = newest_use_; use != nullptr; use = use->before())
      if (use->parameter()) visitor(use->parameter(), use->reached());
  }

 private:
  friend struct Reading<Taped<B>>;

  /// Appends a new node, which the tape then owns.
  [[gnu::noinline]] Node<B>* append(Node<B>* node, Shape const& shape,
                                    [[maybe_unused]] bool low_precision = false) {
    node->context_ = context_;
    node->shape_ = shape;
    if constexpr (backend::MixedPrecision<B>) node->low_precision_ = low_precision;
    node->previous_ = std::move(newest_);
    newest_.reset(node);
    return node;
  }
  /// A new node for each use of a parameter. In a dry run its gradient is only a shape.
  template <class P>
  Node<B>* node_of_use(Parameter<P> const& parameter) {
    if constexpr (std::is_same_v<B, P>) {
      if (options_.gradients != nullptr)
        options_.gradients->used(parameter);
      else
        (void)parameter.gradient();  // allocated here, where the least memory is in use
      newest_use_ = new detail::ParameterNode<B>(parameter, newest_use_, options_.gradients);
      return append(newest_use_, parameter.shape());
    } else {
      auto gradient =
          Tensor<B>::borrowed(*context_, parameter.shape(), reinterpret_cast<typename B::Scalar*>(this));
      return append(new detail::ParameterNode<B>(std::move(gradient)), parameter.shape());
    }
  }
  /// Runs an operation, and records it if any input needs a gradient.
  [[gnu::noinline]] Taped<B> record(detail::ErasedOperation<B> const& op,
                                    detail::BackwardRules<B> const& backward_rules,
                                    std::initializer_list<Tensor<B> const*> inputs,
                                    std::initializer_list<Node<B>*> sources) {
    detail::Inputs<B> const in{inputs};
    if (std::ranges::all_of(sources, [](Node<B>* source) { return source == nullptr; }))
      return {*this, nullptr, detail::compute<B>(*context_, op, in, nullptr)};
    Saved<B> saved;
    Tensor<B> out = detail::compute<B>(*context_, op, in, &saved);
    Node<B>* const node = append(new detail::RecordedNode<B>{op, backward_rules, in, sources, out,
                                                             std::move(saved), options_.rematerialize},
                                 out.shape(), out.is_low_precision());
    return {*this, node, std::move(out)};
  }

  Context* context_;
  Options options_;
  std::unique_ptr<Node<B>> newest_;
  detail::ParameterNode<B>* newest_use_ = nullptr;  ///< the latest use of a trainable parameter
  std::uint32_t streams_ = 0;
  bool played_ = false;
};

template <class B>
struct Reading<Taped<B>> {
  template <Operation Op, class... V>
  DIFFSIAM_STEERS static Taped<B> evaluate(Op const& op, V const&... values) {
    static_assert(sizeof...(V) <= detail::most_inputs, "An operation has at most four inputs.");
    Tape<B>& tape = tape_of(values...);
    return tape.record(detail::erase<B>(op), detail::backward_rules<B, Op>,
                       {detail::address(tensor_of(tape.context(), values))...}, {source_of(tape, values)...});
  }

 private:
  template <class First, class... Rest>
  static Tape<B>& tape_of(First const& first, Rest const&... rest) {
    if constexpr (std::is_same_v<First, Taped<B>>) {
      return first.tape();
    } else {
      return tape_of(rest...);
    }
  }
  template <class V>
  static decltype(auto) tensor_of(typename B::Context& context, V const& value) {
    if constexpr (std::is_same_v<V, Taped<B>>) {
      return (value.value());
    } else {
      return detail::as_tensor<B>(context, value);
    }
  }
  static Node<B>* source_of(Tape<B>&, Tensor<B> const&) { return nullptr; }
  [[gnu::noinline]] static Node<B>* source_of(Tape<B>& tape, Taped<B> const& value) {
    if (&value.tape() != &tape)
      throw Error("evaluate: expected values of one tape, got two; put the plain value on this tape instead");
    return value.node();
  }
  template <class P>
  [[gnu::noinline]] static Node<B>* source_of(Tape<B>& tape, Parameter<P> const& parameter) {
    if (!parameter.trainable()) return nullptr;
    return tape.node_of_use(parameter);
  }
};

/// The batch of which a value is a piece; null for plain values, and for a batch that is not divided.
template <class B>
[[nodiscard]] JointBatch<B>* joint_of(Tensor<B> const&) {
  return nullptr;
}
template <class B>
[[nodiscard]] JointBatch<B>* joint_of(Taped<B> const& value) {
  return value.tape().joint();
}

/// The value without its history: no gradient flows back through it.
template <class B>
[[nodiscard]] Tensor<B> detach(Tensor<B> const& value) {
  return value;
}
template <class B>
[[nodiscard]] Taped<B> detach(Taped<B> const& value) {
  return value.tape().input(value.value());
}

/// A plain value as the reading of `beside` needs it. Beside a taped value it is put on the same tape, so
/// that weights which it meets are trained; it gets no gradient itself.
template <class B, FlowingValue V>
[[nodiscard]] auto raised_to(Tensor<B> const& value, V const& beside) {
  if constexpr (reading_strength<V> > 1) {
    return beside.tape().input(value);
  } else {
    return value;
  }
}
template <class B, FlowingValue V>
[[nodiscard]] Taped<B> raised_to(Taped<B> const& value, V const&) {
  return value;
}

}  // namespace diffsiam
