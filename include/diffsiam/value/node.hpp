// Node: the element of a tape. Each node knows the backward pass of one operation.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <diffsiam/value/gradient_place.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam {

template <class B>
class Tape;

/// One recorded operation, or a leaf. Nodes form a list, the newest first, and the tape walks along it
/// without recursion.
template <class B>
class Node {
 public:
  Node() = default;
  Node(Node const&) = delete;
  Node& operator=(Node const&) = delete;
  virtual ~Node() = default;

  /// The gradient of the node's value. It is zero when it is first asked for.
  [[nodiscard]] Tensor<B>& gradient() {
    if (!gradient_) gradient_ = first_gradient();
    return gradient_;
  }
  /// False while nobody has asked for the gradient; it is zero then.
  [[nodiscard]] bool has_gradient() const { return static_cast<bool>(gradient_); }
  /// Whether the value, and with it the gradient, is in low precision.
  [[nodiscard]] bool is_low_precision() const { return low_precision_; }
  /// Adds `more` to the gradient of a value in low precision.
  void add_to_gradient(Tensor<B> const& more)
    requires backend::MixedPrecision<B>
  {
    detail::add_to_low_precision(gradient_, more);
  }

  /// Whether the value is computed again in the backward pass, so that other nodes need not keep it.
  [[nodiscard]] virtual bool rematerializes() const { return false; }
  /// The value, computed again. Throws Error unless rematerializes().
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

/// One use of a parameter; its gradient is the gradient of the parameter. The uses on a tape form a list, the
/// latest first.
template <class B>
class ParameterNode final : public Node<B> {
 public:
  ParameterNode(Parameter<B> const& parameter, ParameterNode* before, GradientPlace<B>* place)
      : parameter_(parameter), before_(before), place_(place) {}
  /// For a dry run, in which the gradient is only a shape.
  explicit ParameterNode(Tensor<B> gradient) : before_(nullptr) { this->gradient_ = std::move(gradient); }

  /// The parameter; an empty one in a dry run.
  [[nodiscard]] Parameter<B> const& parameter() const& { return parameter_; }
  [[nodiscard]] Parameter<B> parameter() const&& { return parameter_; }
  [[nodiscard]] ParameterNode* before() const { return before_; }
  /// Whether the backward pass has reached this use of the parameter.
  [[nodiscard]] bool reached() const { return reached_; }

 private:
  [[nodiscard]] Tensor<B> first_gradient() override {
    reached_ = true;
    if (place_ != nullptr) return place_->gradient_of(parameter_);
    return parameter_ ? parameter_.gradient() : Node<B>::first_gradient();
  }
  void release() override {
    if (place_ == nullptr) return;
    this->gradient_ = {};
    place_->passed(parameter_);
  }

  Parameter<B> parameter_;
  ParameterNode* before_;
  GradientPlace<B>* place_ = nullptr;
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

/// Copies an operation. Most operations are a few numbers; all those of one size share one function.
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

/// The rules of one type of operation for its backward pass.
template <class B>
struct BackwardRules {
  void const* (*copy)(void const* op);
  void (*destroy)(void const* op);
  void (*backward)(void const* op, Backward<B> const& pass);
  void (*rematerialize)(void const* op, Forward<B> const& pass);  ///< null if the operation has none
  InputList keeps_inputs;  ///< the inputs whose data are kept; of others only the shape
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

/// A recorded operation, with everything that its backward pass needs.
template <class B>
class RecordedNode final : public Node<B> {
 public:
  /// With `rematerialize`, values that are cheap to compute are not kept.
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
  /// The inputs with their data: all of them, or only those that the backward pass needs.
  [[nodiscard]] InputArray<B> inputs(bool all) const {
    auto in = in_;
    for (std::size_t i = 0; i < count_; ++i)
      if ((all || needs(i)) && sources_[i] != nullptr && sources_[i]->rematerializes())
        in[i] = sources_[i]->recomputed();
    return in;
  }
  /// The tensor, or only its shape.
  static Tensor<B> keep(Tensor<B> const& tensor, bool data) {
    return data ? tensor : Tensor<B>::borrowed(tensor.context(), tensor.shape(), nullptr);
  }
  void backward() override {
    recomputed_ = {};  // nobody needs it any more
    auto const in = inputs(false);
    run_backward<B, Node<B>>(op_.rules->storage_rule, backward_rules_->keeps_inputs,
                             std::span{in}.first(count_), out_, this->gradient_,
                             std::span{sources_}.first(count_),
                             [&](std::span<Tensor<B> const> all, std::span<Tensor<B>* const> gradients,
                                 std::span<Tensor<B> const> so_far) { play(all, gradients, so_far); });
  }
  void play(std::span<Tensor<B> const> in, std::span<Tensor<B>* const> gradients,
            std::span<Tensor<B> const> so_far) {
    double passes = 0;
    // The gradient of an operand costs about one forward pass; that of a bias or a scale is not counted.
    for (std::size_t i = 0; i < count_; ++i)
      if (gradients[i] != nullptr && in[i].shape().rank() > 1) passes += 1;
    account(out_.context(), op_, InputShapes{in}, passes);
    Observed const observed{observer_of(out_.context()), op_.rules->name, Direction::backward};
    backward_rules_->backward(
        op_.op, Backward<B>{out_.context(), in, out_, this->gradient_, saved_, gradients, so_far});
  }
  void release() override {
    in_ = {};
    out_ = {};
    saved_ = {};
    recomputed_ = {};
    this->gradient_ = {};
  }

  ErasedOperation<B> op_;  // our own copy
  BackwardRules<B> const* backward_rules_;
  bool rematerializes_;
  std::size_t count_;
  InputArray<B> in_;
  std::array<Node<B>*, most_inputs> sources_{};
  Tensor<B> out_;
  Tensor<B> recomputed_;  ///< kept from the first use until the backward pass of this node
  Saved<B> saved_;
};

}  // namespace detail

}  // namespace diffsiam
