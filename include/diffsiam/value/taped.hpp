// The taped reading: an operation runs, and the tape learns how to go back.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam {

/// Where training and inference differ (batch norm, dropout), a mode says which.
enum class Mode { training, inference };

template <class B>
class Tape;

/// One recorded operation, or a leaf. Nodes form a chain, newest first; gradients flow along it without
/// recursion.
template <class B>
class Node {
 public:
  Node() = default;
  Node(Node const&) = delete;
  Node& operator=(Node const&) = delete;
  virtual ~Node() = default;

  /// The gradient of the node's value; zero at first use.
  [[nodiscard]] Tensor<B>& gradient() {
    if (!gradient_) gradient_ = Tensor<B>::zeros(*context_, shape_);
    return gradient_;
  }
  [[nodiscard]] bool has_gradient() const { return static_cast<bool>(gradient_); }

 private:
  friend class Tape<B>;
  virtual void backward() {}
  virtual void release() {}

  typename B::Context* context_ = nullptr;
  Shape shape_;

 protected:
  Tensor<B> gradient_;

 private:
  std::unique_ptr<Node> previous_;
};

/// A value on a tape. Cheap to copy; valid as long as its tape.
template <class B>
class Taped {
 public:
  using Backend = B;

  [[nodiscard]] Tensor<B> const& value() const { return value_; }
  [[nodiscard]] Shape const& shape() const { return value_.shape(); }
  [[nodiscard]] typename B::Context& context() const { return value_.context(); }
  [[nodiscard]] Tape<B>& tape() const { return *tape_; }
  /// Null where no gradient is needed: the pixels of a batch, a detached value.
  [[nodiscard]] Node<B>* node() const { return node_; }
  /// The gradient after Tape::backward, for leaves; an empty tensor if none arrived.
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

/// Records operations and plays them back once. One tape a step; used by one thread.
template <class B>
class Tape {
 public:
  using Context = typename B::Context;
  struct Options {
    Mode mode = Mode::training;
    Rng rng{};  ///< dropout draws from it: key (seed, stream), counter (element, step)
  };

  explicit Tape(Context& context, Options options = {}) : context_(&context), options_(options) {}
  Tape(Tape const&) = delete;
  Tape& operator=(Tape const&) = delete;
  ~Tape() {
    while (newest_) newest_ = std::move(newest_->previous_);
  }

  [[nodiscard]] Context& context() const { return *context_; }
  [[nodiscard]] Mode mode() const { return options_.mode; }
  /// A fresh stream of the tape's random numbers, in the order of asking.
  [[nodiscard]] Rng draw_stream() { return options_.rng.with_stream(options_.rng.stream + ++streams_); }

  /// Puts a tensor on the tape, recorded but without a gradient.
  [[nodiscard]] Taped<B> input(Tensor<B> value) { return {*this, nullptr, std::move(value)}; }
  /// Puts a tensor on the tape as a variable whose gradient is kept.
  [[nodiscard]] Taped<B> variable(Tensor<B> value) {
    Node<B>* const node = append(new Node<B>, value.shape());
    return {*this, node, std::move(value)};
  }

  /// Adds the gradients of `scale` times the loss into all parameters and variables, and frees what was
  /// recorded on the way. Throws ShapeError unless the loss has one element, Error when the tape was played
  /// before.
  void backward(Taped<B> const& loss, double scale = 1.0) {
    if (loss.value().size() != 1)
      fail<ShapeError>("Tape::backward", "a loss with one element", to_string(loss.shape()));
    backward(loss, Tensor<B>::filled(*context_, loss.shape(), static_cast<typename B::Scalar>(scale)));
  }
  /// The same from a given gradient of `output`, of its shape.
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

 private:
  friend struct Reading<Taped<B>>;

  /// Takes a node that was just made.
  [[gnu::noinline]] Node<B>* append(Node<B>* node, Shape const& shape) {
    node->context_ = context_;
    node->shape_ = shape;
    node->previous_ = std::move(newest_);
    newest_.reset(node);
    return node;
  }
  /// Whether a gradient is wanted of any input.
  [[nodiscard]] static bool records(std::span<Node<B>* const> sources) {
    bool any = false;
    for (Node<B>* source : sources) any = any || source != nullptr;
    return any;
  }
  [[nodiscard]] Taped<B> wrap(Node<B>* node, Tensor<B> value) { return {*this, node, std::move(value)}; }

  Context* context_;
  Options options_;
  std::unique_ptr<Node<B>> newest_;
  std::uint32_t streams_ = 0;
  bool played_ = false;
};

namespace detail {

/// The gradient of a parameter is the parameter's own; in a dry run, a shape.
template <class B>
class ParameterNode final : public Node<B> {
 public:
  explicit ParameterNode(Tensor<B> gradient) { this->gradient_ = std::move(gradient); }
};

template <class Op>
inline constexpr unsigned keeps_inputs = [] {
  if constexpr (requires { Op::keeps_inputs; })
    return static_cast<unsigned>(Op::keeps_inputs);
  else
    return ~0U;
}();
template <class Op>
inline constexpr bool keeps_output = requires { requires Op::keeps_output; };

/// What all nodes of operations with N inputs share, so that it is compiled once.
template <class B, std::size_t N>
class RecordedNode : public Node<B> {
 public:
  /// Bit i of `kept`: the data of input i stays, bit N: that of the output; otherwise the shape alone.
  [[gnu::noinline]] void record(std::array<Tensor<B>, N> const& in, std::array<Node<B>*, N> const& sources,
                                Tensor<B> const& out, Saved<B>& saved, unsigned kept) {
    sources_ = sources;
    for (std::size_t i = 0; i < N; ++i) in_[i] = keep(in[i], ((kept >> i) & 1U) != 0);
    out_ = keep(out, ((kept >> N) & 1U) != 0);
    saved_ = std::move(saved);
  }

 private:
  static Tensor<B> keep(Tensor<B> const& tensor, bool data) {
    return data ? tensor : Tensor<B>::borrowed(tensor.context(), tensor.shape(), nullptr);
  }
  void backward() final {
    std::array<Tensor<B>*, N> gradients{};
    double passes = 0;
    for (std::size_t i = 0; i < N; ++i) {
      if (sources_[i] == nullptr) continue;
      gradients[i] = &sources_[i]->gradient();
      // The gradient of an operand costs about one forward pass; that of a bias or a scale is not counted.
      if (in_[i].shape().rank() > 1) passes += 1;
    }
    go_back(Backward<B>{out_.context(), in_, out_, this->gradient_, saved_, gradients}, passes);
  }
  void release() final {
    in_ = {};
    out_ = {};
    saved_ = {};
    this->gradient_ = {};
  }
  virtual void go_back(Backward<B> const& pass, double passes) = 0;

  std::array<Tensor<B>, N> in_;
  std::array<Node<B>*, N> sources_{};
  Tensor<B> out_;
  Saved<B> saved_;
};

template <class B, class Op, std::size_t N>
class OpNode final : public RecordedNode<B, N> {
 public:
  static constexpr unsigned kept = (keeps_inputs<Op> & ((1U << N) - 1U)) | (keeps_output<Op> ? 1U << N : 0U);

  explicit OpNode(Op const& op) : op_(op) {}

 private:
  DIFFSIAM_STEERS void go_back(Backward<B> const& pass, double passes) override {
    account(pass.context, op_, pass.in, passes);
    op_.backward(pass);
  }

  Op op_;
};

}  // namespace detail

template <class B>
struct Reading<Taped<B>> {
  template <Operation Op, class... V>
  DIFFSIAM_STEERS static Taped<B> evaluate(Op const& op, V const&... values) {
    constexpr std::size_t n = sizeof...(V);
    Tape<B>& tape = tape_of(values...);
    typename B::Context& context = tape.context();
    std::array<Tensor<B>, n> const in{tensor_of(context, values)...};
    auto const shapes = detail::shapes_of(in);
    Tensor<B> out{context, op.shape(shapes)};
    detail::account(context, op, shapes, 1);
    std::array<Node<B>*, n> const sources{source_of(tape, values)...};
    Saved<B> saved;
    bool const recorded = tape.records(sources);
    op.forward(Forward<B>{context, in, out, recorded ? &saved : nullptr});
    if (!recorded) return tape.wrap(nullptr, std::move(out));
    auto* const node = new detail::OpNode<B, Op, n>(op);
    tape.append(node, out.shape());
    node->record(in, sources, out, saved, detail::OpNode<B, Op, n>::kept);
    return tape.wrap(node, std::move(out));
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
  static Node<B>* source_of(Tape<B>& tape, Taped<B> const& value) {
    if (&value.tape() != &tape)
      throw Error("evaluate: expected values of one tape, got two; put the plain value on this tape instead");
    return value.node();
  }
  template <class P>
  static Node<B>* source_of(Tape<B>& tape, Parameter<P> const& parameter) {
    if (!parameter.trainable()) return nullptr;
    Tensor<B> gradient;
    if constexpr (std::is_same_v<B, P>) {
      gradient = parameter.gradient();
    } else {
      gradient = Tensor<B>::borrowed(tape.context(), parameter.shape(),
                                     reinterpret_cast<typename B::Scalar*>(&tape));
    }
    return tape.append(new detail::ParameterNode<B>(std::move(gradient)), parameter.shape());
  }
};

/// The value alone: no gradient flows back through it.
template <class B>
[[nodiscard]] Tensor<B> const& detach(Tensor<B> const& value) {
  return value;
}
template <class B>
[[nodiscard]] Taped<B> detach(Taped<B> const& value) {
  return value.tape().input(value.value());
}

/// A plain value beside a taped one, raised to its reading: recorded, so that weights which meet it are too,
/// but without a gradient of its own.
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
