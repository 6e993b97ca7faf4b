// What a tape is made of: nodes, each of which knows the backward pass of one operation.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <diffsiam/value/plain.hpp>

namespace diffsiam {

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
    if (!gradient_) gradient_ = first_gradient();
    return gradient_;
  }
  [[nodiscard]] bool has_gradient() const { return static_cast<bool>(gradient_); }
  /// Whether the value is in low precision, and with it its gradient.
  [[nodiscard]] bool is_low_precision() const { return low_precision_; }
  /// Adds to the gradient of a value in low precision.
  void add_to_gradient(Tensor<B> const& more)
    requires backend::MixedPrecision<B>
  {
    detail::add_to_low_precision(gradient_, more);
  }

  /// Whether others need not keep the node's value: it is computed again for their backward pass.
  [[nodiscard]] virtual bool rematerializes() const { return false; }
  [[nodiscard]] virtual Tensor<B> const& recomputed() {
    throw Error("Tape: expected a value that is computed again, got one that is not");
  }

 private:
  friend class Tape<B>;
  virtual void backward() {}
  virtual void release() {}

  typename B::Context* context_ = nullptr;
  Shape shape_;
  [[no_unique_address]] PrecisionFlag<B> low_precision_{};

 protected:
  [[nodiscard]] virtual Tensor<B> first_gradient() {
    if constexpr (backend::MixedPrecision<B>)
      if (low_precision_) {
        auto const zeros = Tensor<B>::low_precision(*context_, shape_);
        zeros.fill(0);
        return zeros;
      }
    return Tensor<B>::zeros(*context_, shape_);
  }

  Tensor<B> gradient_;

 private:
  std::unique_ptr<Node> previous_;
};

namespace detail {

/// One use of a parameter, whose gradient is the parameter's own. A tape's uses form a list, the latest
/// first.
template <class B>
class ParameterNode final : public Node<B> {
 public:
  ParameterNode(Parameter<B> const& parameter, ParameterNode* before)
      : parameter_(parameter), before_(before) {}
  /// In a dry run, where the gradient is a shape.
  explicit ParameterNode(Tensor<B> gradient) : before_(nullptr) { this->gradient_ = std::move(gradient); }

  /// Empty in a dry run.
  [[nodiscard]] Parameter<B> const& parameter() const& { return parameter_; }
  [[nodiscard]] Parameter<B> parameter() const&& { return parameter_; }
  [[nodiscard]] ParameterNode* before() const { return before_; }
  /// Whether the backward pass of an operation that read the parameter is done.
  [[nodiscard]] bool reached() const { return reached_; }

 private:
  [[nodiscard]] Tensor<B> first_gradient() override {
    reached_ = true;
    return parameter_ ? parameter_.gradient() : Node<B>::first_gradient();
  }

  Parameter<B> parameter_;
  ParameterNode* before_;
  bool reached_ = false;
};

template <class Op>
inline constexpr InputList keeps_inputs = [] {
  if constexpr (requires { Op::keeps_inputs; })
    return Op::keeps_inputs;
  else
    return InputList::all();
}();
template <class Op>
inline constexpr bool keeps_output = requires { requires Op::keeps_output; };

/// An operation's own copy. Most operations are a few numbers: those of one size are copied by one function.
template <std::size_t size>
struct CopiedBytes {
  static void const* copy(void const* op) { return std::memcpy(::operator new(size), op, size); }
  static void destroy(void const* op) { ::operator delete(const_cast<void*>(op), size); }
};
template <class Op>
struct CopiedHandles {
  static void const* copy(void const* op) { return new Op(*static_cast<Op const*>(op)); }
  static void destroy(void const* op) { delete static_cast<Op const*>(op); }
};
template <class Op>
using Copied =
    std::conditional_t<std::is_trivially_copyable_v<Op> && alignof(Op) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                       CopiedBytes<sizeof(Op)>, CopiedHandles<Op>>;

/// What the backward pass needs of one type of operation.
template <class B>
struct BackwardRules {
  void const* (*copy)(void const* op);
  void (*destroy)(void const* op);
  void (*backward)(void const* op, Backward<B> const& pass);
  void (*rematerialize)(void const* op, Forward<B> const& pass);  ///< null: costs too much
  InputList keeps_inputs;  ///< those whose data stay; of others the shape alone
  bool keeps_output;
};

template <class B, class Op>
[[nodiscard]] constexpr auto recompute_of() -> decltype(BackwardRules<B>::rematerialize) {
  if constexpr (requires(Op const& op, Forward<B> const& pass) { op.rematerialize(pass); })
    return &Erased<B, Op>::rematerialize;
  else
    return nullptr;
}

template <class B, class Op>
inline constexpr BackwardRules<B> backward_rules{&Copied<Op>::copy,        &Copied<Op>::destroy,
                                                 &Erased<B, Op>::backward, recompute_of<B, Op>(),
                                                 keeps_inputs<Op>,         keeps_output<Op>};

template <class B>
using Sources = std::span<Node<B>* const>;

/// An operation that was recorded: what its backward pass needs.
template <class B>
class RecordedNode final : public Node<B> {
 public:
  /// `rematerialize`: values that are cheap to compute are not kept.
  RecordedNode(ErasedOperation<B> const& op, BackwardRules<B> const& backward_rules,
               std::span<Tensor<B> const> in, Sources<B> sources, Tensor<B> const& out, Saved<B>&& saved,
               bool rematerialize)
      : op_{op.rules, backward_rules.copy(op.op)},
        backward_rules_(&backward_rules),
        rematerializes_(rematerialize && backward_rules.rematerialize != nullptr),
        count_(in.size()),
        saved_(std::move(saved)) {
    for (std::size_t i = 0; i < count_; ++i) {
      sources_[i] = sources[i];
      bool const comes_again = sources[i] != nullptr && sources[i]->rematerializes();
      in_[i] = keep(in[i], !comes_again && (rematerializes_ || needs(i)));
    }
    out_ = keep(out, backward_rules.keeps_output);
  }
  ~RecordedNode() override { backward_rules_->destroy(op_.op); }

  [[nodiscard]] bool rematerializes() const override { return rematerializes_; }
  [[nodiscard]] Tensor<B> const& recomputed() override {
    if (recomputed_) return recomputed_;
    auto const in = inputs(true);
    auto const from = std::span<Tensor<B> const>{in}.first(count_);
    recomputed_ = output_tensor<B>(out_.context(), op_.rules->storage_rule, from, out_.shape());
    Observed const observed{observer_of(out_.context()), op_.rules->name, Direction::forward};
    run_forward(op_.rules->storage_rule, Forward<B>{out_.context(), from, recomputed_, &saved_},
                [&](Forward<B> const& pass) { backward_rules_->rematerialize(op_.op, pass); });
    return recomputed_;
  }

 private:
  /// Whether the backward pass reads the data of input i.
  [[nodiscard]] bool needs(std::size_t i) const { return backward_rules_->keeps_inputs.contains(i); }
  /// All inputs, or those that the backward pass needs, with their data.
  [[nodiscard]] InputArray<B> inputs(bool all) const {
    auto in = in_;
    for (std::size_t i = 0; i < count_; ++i)
      if ((all || needs(i)) && sources_[i] != nullptr && sources_[i]->rematerializes())
        in[i] = sources_[i]->recomputed();
    return in;
  }
  /// The data, or the shape alone.
  static Tensor<B> keep(Tensor<B> const& tensor, bool data) {
    return data ? tensor : Tensor<B>::borrowed(tensor.context(), tensor.shape(), nullptr);
  }
  void backward() override {
    recomputed_ = {};  // whoever asked for it is done
    auto const in = inputs(false);
    run_backward<B, Node<B>>(
        op_.rules->storage_rule, backward_rules_->keeps_inputs, std::span{in}.first(count_), out_,
        this->gradient_, std::span{sources_}.first(count_),
        [&](std::span<Tensor<B> const> all, std::span<Tensor<B>* const> gradients) { play(all, gradients); });
  }
  void play(std::span<Tensor<B> const> in, std::span<Tensor<B>* const> gradients) {
    double passes = 0;
    // The gradient of an operand costs about one forward pass; that of a bias or a scale is not counted.
    for (std::size_t i = 0; i < count_; ++i)
      if (gradients[i] != nullptr && in[i].shape().rank() > 1) passes += 1;
    account(out_.context(), op_, InputShapes{in}, passes);
    Observed const observed{observer_of(out_.context()), op_.rules->name, Direction::backward};
    backward_rules_->backward(op_.op,
                              Backward<B>{out_.context(), in, out_, this->gradient_, saved_, gradients});
  }
  void release() override {
    in_ = {};
    out_ = {};
    saved_ = {};
    recomputed_ = {};
    this->gradient_ = {};
  }

  ErasedOperation<B> op_;  // a copy of our own
  BackwardRules<B> const* backward_rules_;
  bool rematerializes_;
  std::size_t count_;
  InputArray<B> in_;
  std::array<Node<B>*, most_inputs> sources_{};
  Tensor<B> out_;
  Tensor<B> recomputed_;  ///< from the first time it is asked for until the node's own backward pass
  Saved<B> saved_;
};

}  // namespace detail

}  // namespace diffsiam
