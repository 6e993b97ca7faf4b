// The taped reading: an operation runs, and the tape learns how to go back.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
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

  /// Whether others need not keep the node's value: it is computed again when one of them goes back.
  [[nodiscard]] virtual bool recomputes() const { return false; }
  [[nodiscard]] virtual Tensor<B> const& recomputed() {
    throw Error("Tape: expected a value that is computed again, got one that is not");
  }

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

/// How one type of operation goes back.
template <class B>
struct WayBack {
  void const* (*copy)(void const* op);
  void (*destroy)(void const* op);
  void (*backward)(void const* op, Backward<B> const& pass);
  void (*recompute)(void const* op, Forward<B> const& pass);  ///< null: costs too much
  unsigned keeps_inputs;  ///< bit i: the data of input i stays; otherwise the shape alone
  bool keeps_output;
};

template <class B, class Op>
[[nodiscard]] constexpr auto recompute_of() -> decltype(WayBack<B>::recompute) {
  if constexpr (requires(Op const& op, Forward<B> const& pass) { op.recompute(pass); })
    return &Erased<B, Op>::recompute;
  else
    return nullptr;
}

template <class B, class Op>
inline constexpr WayBack<B> way_back{&Erased<B, Op>::copy,  &Erased<B, Op>::destroy, &Erased<B, Op>::backward,
                                     recompute_of<B, Op>(), keeps_inputs<Op>,        keeps_output<Op>};

template <class B>
using Sources = std::span<Node<B>* const>;

/// An operation that was recorded: what its way back needs.
template <class B>
class RecordedNode final : public Node<B> {
 public:
  /// `saves_memory`: values that are cheap to compute are not kept.
  RecordedNode(ErasedOperation<B> const& op, WayBack<B> const& way_back, std::span<Tensor<B> const> in,
               Sources<B> sources, Tensor<B> const& out, Saved<B>&& saved, bool saves_memory)
      : op_{op.rules, way_back.copy(op.op)},
        way_back_(&way_back),
        recomputes_(saves_memory && way_back.recompute != nullptr),
        count_(in.size()),
        saved_(std::move(saved)) {
    for (std::size_t i = 0; i < count_; ++i) {
      sources_[i] = sources[i];
      bool const comes_again = sources[i] != nullptr && sources[i]->recomputes();
      in_[i] = keep(in[i], !comes_again && (recomputes_ || needs(i)));
    }
    out_ = keep(out, way_back.keeps_output);
  }
  ~RecordedNode() override { way_back_->destroy(op_.op); }

  [[nodiscard]] bool recomputes() const override { return recomputes_; }
  [[nodiscard]] Tensor<B> const& recomputed() override {
    if (recomputed_) return recomputed_;
    auto const in = inputs(true);
    auto const from = std::span<Tensor<B> const>{in}.first(count_);
    recomputed_ = output_tensor<B>(out_.context(), op_.rules->compact, from, out_.shape());
    Observed const observed{observer_of(out_.context()), op_.rules->name, Direction::forward};
    run_forward(op_.rules->compact, Forward<B>{out_.context(), from, recomputed_, &saved_},
                [&](Forward<B> const& pass) { way_back_->recompute(op_.op, pass); });
    return recomputed_;
  }

 private:
  /// Whether the way back reads the data of input i.
  [[nodiscard]] bool needs(std::size_t i) const { return has_bit(way_back_->keeps_inputs, i); }
  /// All inputs, or those that the way back needs, with their data.
  [[nodiscard]] std::array<Tensor<B>, most_inputs> inputs(bool all) const {
    auto in = in_;
    for (std::size_t i = 0; i < count_; ++i)
      if ((all || needs(i)) && sources_[i] != nullptr && sources_[i]->recomputes())
        in[i] = sources_[i]->recomputed();
    return in;
  }
  /// The data, or the shape alone.
  static Tensor<B> keep(Tensor<B> const& tensor, bool data) {
    return data ? tensor : Tensor<B>::borrowed(tensor.context(), tensor.shape(), nullptr);
  }
  void backward() override {
    auto all = inputs(false);
    if constexpr (backend::Compacting<B>) {
      all = widened<B>(all, op_.rules->compact.reads | ~way_back_->keeps_inputs);
      out_ = out_.widened();
    }
    std::span<Tensor<B> const> const in = std::span<Tensor<B> const>{all}.first(count_);
    std::array<Tensor<B>*, most_inputs> gradients{};
    double passes = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (sources_[i] == nullptr) continue;
      gradients[i] = &sources_[i]->gradient();
      // The gradient of an operand costs about one forward pass; that of a bias or a scale is not counted.
      if (in[i].shape().rank() > 1) passes += 1;
    }
    account(out_.context(), op_, InputShapes{in}, passes);
    Observed const observed{observer_of(out_.context()), op_.rules->name, Direction::backward};
    way_back_->backward(op_.op, Backward<B>{out_.context(), in, out_, this->gradient_, saved_,
                                            std::span{gradients}.first(count_)});
  }
  void release() override {
    in_ = {};
    out_ = {};
    saved_ = {};
    recomputed_ = {};
    this->gradient_ = {};
  }

  ErasedOperation<B> op_;  // a copy of our own
  WayBack<B> const* way_back_;
  bool recomputes_;
  std::size_t count_;
  std::array<Tensor<B>, most_inputs> in_;
  std::array<Node<B>*, most_inputs> sources_{};
  Tensor<B> out_;
  Tensor<B> recomputed_;  ///< from the first time it is asked for until the node itself went back
  Saved<B> saved_;
};

}  // namespace detail

/// Records operations and plays them back once. One tape a step; used by one thread.
template <class B>
class Tape {
 public:
  using Context = typename B::Context;
  struct Options {
    Mode mode = Mode::training;
    Rng rng{};  ///< dropout draws from it: key (seed, stream), counter (element, step)
    /// Values that are cheap to compute from others (of GroupNorm, concat, upsample_nearest) are computed
    /// again on the way back: less memory for little time (docs/performance.md). False keeps them.
    bool saves_memory = true;
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
    if (loss.value().size() != 1) fail<ShapeError>("Tape::backward", "a loss with one element", loss.shape());
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
  /// Runs an operation, and remembers it if a gradient is wanted of any input.
  [[gnu::noinline]] Taped<B> record(detail::ErasedOperation<B> const& op, detail::WayBack<B> const& way_back,
                                    std::initializer_list<Tensor<B> const*> inputs,
                                    std::initializer_list<Node<B>*> sources) {
    detail::Inputs<B> const in{inputs};
    if (std::ranges::all_of(sources, [](Node<B>* source) { return source == nullptr; }))
      return {*this, nullptr, detail::compute<B>(*context_, op, in, nullptr)};
    Saved<B> saved;
    Tensor<B> out = detail::compute<B>(*context_, op, in, &saved);
    Node<B>* const node = append(
        new detail::RecordedNode<B>{op, way_back, in, sources, out, std::move(saved), options_.saves_memory},
        out.shape());
    return {*this, node, std::move(out)};
  }

  Context* context_;
  Options options_;
  std::unique_ptr<Node<B>> newest_;
  std::uint32_t streams_ = 0;
  bool played_ = false;
};

template <class B>
struct Reading<Taped<B>> {
  template <Operation Op, class... V>
  DIFFSIAM_STEERS static Taped<B> evaluate(Op const& op, V const&... values) {
    static_assert(sizeof...(V) <= detail::most_inputs, "An operation has at most four inputs.");
    Tape<B>& tape = tape_of(values...);
    return tape.record(detail::erase<B>(op), detail::way_back<B, Op>,
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
