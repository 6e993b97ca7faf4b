// What a tape is made of: nodes, each of which knows how one operation goes back.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <diffsiam/functional/arithmetic.hpp>
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
  /// The gradient; of a compact value `fresh` in its place, for add_to_compact: compact, or zeros in full.
  [[nodiscard]] Tensor<B>& gradient_or(Tensor<B>& fresh, bool compact)
    requires backend::Compacting<B>
  {
    if (!compact_) return gradient();
    fresh = compact ? Tensor<B>::compact(*context_, shape_) : Tensor<B>::zeros(*context_, shape_);
    return fresh;
  }
  /// Adds to the gradient of a compact value, which is compact; `more` may be in full.
  void add_to_compact(Tensor<B> const& more)
    requires backend::Compacting<B>
  {
    if (!gradient_ && more.is_compact()) {
      gradient_ = more;
      return;
    }
    // Not in place: memory may be shared.
    auto const sum = Tensor<B>::compact(*context_, shape_);
    if (gradient_) {
      SampleGrid const all{1, 1, shape_.size()};
      B::for_each(*context_, all.grid(), functional::LinearCombination<typename B::Scalar>{1, 1},
                  all.full(sum.stored()), all.full(gradient_.stored()), all.full(more.stored()));
    } else {
      sum.assign(more);
    }
    gradient_ = sum;
  }

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
  [[no_unique_address]] CompactFlag<B> compact_{};  ///< the value, and with it its gradient

 protected:
  [[nodiscard]] virtual Tensor<B> first_gradient() {
    if constexpr (backend::Compacting<B>)
      if (compact_) {
        auto const zeros = Tensor<B>::compact(*context_, shape_);
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
  /// Whether an operation that read the parameter has gone back.
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
inline constexpr unsigned keeps_inputs = [] {
  if constexpr (requires { Op::keeps_inputs; })
    return static_cast<unsigned>(Op::keeps_inputs);
  else
    return ~0U;
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
inline constexpr WayBack<B> way_back{&Copied<Op>::copy,     &Copied<Op>::destroy, &Erased<B, Op>::backward,
                                     recompute_of<B, Op>(), keeps_inputs<Op>,     keeps_output<Op>};

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
    recomputed_ = {};  // whoever asked for it has gone back
    auto all = inputs(false);
    std::array<Tensor<B>*, most_inputs> gradients{};
    if constexpr (backend::Compacting<B>) {
      CompactRule const& rule = op_.rules->compact;
      all = widened<B>(all, rule.reads | ~way_back_->keeps_inputs);
      out_ = out_.widened();
      if (!rule.gradients) this->gradient_ = this->gradient_.widened();
      std::array<Tensor<B>, most_inputs> of_compact;
      for (std::size_t i = 0; i < count_; ++i)
        if (sources_[i] != nullptr) gradients[i] = &sources_[i]->gradient_or(of_compact[i], rule.gradients);
      play(all, gradients);
      for (std::size_t i = 0; i < count_; ++i)
        if (of_compact[i]) sources_[i]->add_to_compact(std::exchange(of_compact[i], {}));
    } else {
      for (std::size_t i = 0; i < count_; ++i)
        if (sources_[i] != nullptr) gradients[i] = &sources_[i]->gradient();
      play(all, gradients);
    }
  }
  void play(std::array<Tensor<B>, most_inputs> const& all,
            std::array<Tensor<B>*, most_inputs> const& gradients) {
    std::span<Tensor<B> const> const in = std::span{all}.first(count_);
    double passes = 0;
    // The gradient of an operand costs about one forward pass; that of a bias or a scale is not counted.
    for (std::size_t i = 0; i < count_; ++i)
      if (gradients[i] != nullptr && in[i].shape().rank() > 1) passes += 1;
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
  Tensor<B> recomputed_;  ///< from the first time it is asked for until the node itself goes back
  Saved<B> saved_;
};

}  // namespace detail

}  // namespace diffsiam
