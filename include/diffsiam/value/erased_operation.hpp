// ErasedOperation: an operation without its type. The readings of a value run operations through it, so that
// their code is compiled once for each backend and not once for each operation.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/observer.hpp>
#include <diffsiam/value/mixed_precision.hpp>

namespace diffsiam::detail {

/// The functions and rules of one type of operation.
template <class B>
struct OperationRules {
  std::string_view name;
  Shape (*shape)(void const* op, Shapes in);
  double (*flops)(void const* op, Shapes in);  ///< null if B counts no FLOPs
  void (*forward)(void const* op, Forward<B> const& pass);
  StorageRule storage_rule;
};

template <class Op>
inline constexpr StorageRule storage_rule = [] {
  if constexpr (requires { Op::storage_rule; })
    return Op::storage_rule;
  else
    return StorageRule{};
}();

/// Calls the operation behind a pointer to it. These are functions and not lambdas, because the compiler
/// makes three functions of each lambda; and they are defined outside of the class, so that a program that
/// declares them `extern template` (compiled/) compiles nothing of the operation or of what it calls in a
/// backend.
template <class B, class Op>
struct Erased {
  static Op const& of(void const* op) { return *static_cast<Op const*>(op); }
  static Shape shape(void const* op, Shapes in);
  static double flops(void const* op, Shapes in);
  static void forward(void const* op, Forward<B> const& pass);
  static void backward(void const* op, Backward<B> const& pass);
  static void rematerialize(void const* op, Forward<B> const& pass)
    requires requires(Op const& o) { o.rematerialize(pass); };
};

template <class B, class Op>
DIFFSIAM_STEERS Shape Erased<B, Op>::shape(void const* op, Shapes in) {
  return of(op).shape(in);
}
template <class B, class Op>
DIFFSIAM_STEERS double Erased<B, Op>::flops(void const* op, Shapes in) {
  return of(op).flops(in);
}
template <class B, class Op>
DIFFSIAM_STEERS void Erased<B, Op>::forward(void const* op, Forward<B> const& pass) {
  of(op).forward(pass);
}
template <class B, class Op>
DIFFSIAM_STEERS void Erased<B, Op>::backward(void const* op, Backward<B> const& pass) {
  of(op).backward(pass);
}
template <class B, class Op>
DIFFSIAM_STEERS void Erased<B, Op>::rematerialize(void const* op, Forward<B> const& pass)
  requires requires(Op const& o) { o.rematerialize(pass); }
{
  of(op).rematerialize(pass);
}

template <class B, class Op>
[[nodiscard]] constexpr auto flops_of() -> decltype(OperationRules<B>::flops) {
  if constexpr (backend::Estimating<B>)
    return &Erased<B, Op>::flops;
  else
    return nullptr;
}

template <class B, class Op>
inline constexpr OperationRules<B> operation_rules{Op::name, &Erased<B, Op>::shape, flops_of<B, Op>(),
                                                   &Erased<B, Op>::forward, storage_rule<Op>};

/// A view of an operation, which must outlive it.
template <class B>
struct ErasedOperation {
  OperationRules<B> const* rules;
  void const* op;

  [[nodiscard]] Shape shape(Shapes in) const { return rules->shape(op, in); }
  [[nodiscard]] double flops(Shapes in) const { return rules->flops(op, in); }
  void forward(Forward<B> const& pass) const { rules->forward(op, pass); }
};

template <class B, Operation Op>
[[nodiscard]] ErasedOperation<B> erase(Op const& op) {
  return {&operation_rules<B, Op>, &op};
}

/// Handles of the inputs of an operation in one array. It takes addresses, because callers then need no code
/// to copy or destroy handles.
template <class B>
class Inputs {
 public:
  DIFFSIAM_OUT_OF_LINE explicit Inputs(std::initializer_list<Tensor<B> const*> from) : count_(from.size()) {
    for (std::size_t i = 0; i < count_; ++i) tensors_[i] = *from.begin()[i];
  }
  operator std::span<Tensor<B> const>() const {  // NOLINT: implicit by design
    return std::span<Tensor<B> const>{tensors_}.first(count_);
  }

 private:
  std::array<Tensor<B>, most_inputs> tensors_;
  std::size_t count_;
};

/// The shapes of the inputs of an operation, without an allocation.
class InputShapes {
 public:
  template <class B>
  explicit InputShapes(std::span<Tensor<B> const> tensors) : count_(tensors.size()) {
    for (std::size_t i = 0; i < count_; ++i) shapes_[i] = tensors[i].shape();
  }
  operator Shapes() const { return Shapes{shapes_}.first(count_); }  // NOLINT: implicit by design

 private:
  std::array<Shape, most_inputs> shapes_;
  std::size_t count_;
};

/// Adds the FLOPs of `passes` forward passes of `op` to the account of a dry run.
template <class B>
void account(typename B::Context& context, ErasedOperation<B> const& op, Shapes in, double passes) {
  if constexpr (backend::Estimating<B>) context.count(op.rules->name, passes * op.flops(in));
}

/// Null if there is no observer.
template <class Context>
[[nodiscard]] Observer* observer_of(Context& context) {
  if constexpr (backend::Observable<Context>)
    return context.observer();
  else
    return nullptr;
}

/// Runs an operation and returns its output; `saved` is null if nothing is recorded.
template <class B>
[[nodiscard, gnu::noinline]] Tensor<B> compute(typename B::Context& context, ErasedOperation<B> const& op,
                                               std::span<Tensor<B> const> in, Saved<B>* saved) {
  InputShapes const shapes{in};
  StorageRule const& rule = op.rules->storage_rule;
  Tensor<B> out = output_tensor<B>(context, rule, in, op.shape(shapes));
  account(context, op, shapes, 1);
  Observed const observed{observer_of(context), op.rules->name, Direction::forward};
  run_forward(rule, Forward<B>{context, in, out, saved}, [&](Forward<B> const& pass) { op.forward(pass); });
  return out;
}

}  // namespace diffsiam::detail
