// Operation and Reading: the two sides of one bargain. An operation states its rules once; a reading of a
// value (plain, taped, traced) decides what happens when it is met.
#pragma once

#include <concepts>
#include <string_view>

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// What an operation does with tensors that are stored compact (see backend::Compacting), as its optional
/// `static constexpr CompactRule compact`. Without one it is handed all of its inputs in full, and its output
/// is stored in full.
struct CompactRule {
  enum class Output {
    full,
    alike,   ///< compact where all inputs are that stand in `likens`
    images,  ///< compact where it has positions and whole vectors of channels
  };
  Output output = Output::full;
  unsigned reads = 0;   ///< bit i: forward and backward read input i by stored(); others are widened for them
  bool writes = false;  ///< forward writes its output by stored(); otherwise it is narrowed afterwards
  unsigned likens = 1;  ///< bit i: input i
  /// Backward reads dy by stored(), and writes the gradients of compact inputs, which are compact, instead of
  /// adding into them; otherwise all of these are in full for it.
  bool gradients = false;
};

/// Satisfied if and only if Op states the shape of its result: `Shape shape(Shapes) const`, throwing
/// ShapeError.
template <class Op>
concept HasShapeRule = requires(Op const& op, Shapes in) {
  { op.shape(in) } -> std::same_as<Shape>;
};
/// Satisfied if and only if Op states its cost: `double flops(Shapes) const`, additions and multiplications
/// apart.
template <class Op>
concept HasFlopRule = requires(Op const& op, Shapes in) {
  { op.flops(in) } -> std::convertible_to<double>;
};
/// Satisfied if and only if Op has a name and both rules. `forward(Forward<B> const&)` and
/// `backward(Backward<B> const&)` are templates over the backend. Optional: `static constexpr unsigned
/// keeps_inputs` (bit i: backward reads input i; all by default), `static constexpr bool keeps_output`
/// (false by default), and `recompute(Forward<B> const&)`, which computes the output again from the inputs
/// and what forward saved, for operations so cheap that memory is worth more, and a CompactRule.
template <class Op>
concept Operation = HasShapeRule<Op> && HasFlopRule<Op> && requires {
  { Op::name } -> std::convertible_to<std::string_view>;
};

/// How a kind of value answers an operation: a specialisation has `static V evaluate(op, values...)`.
template <class V>
struct Reading;

/// How strongly a type asks for its reading: 0 for what only follows (parameters), 1 for plain, 2 for taped
/// values.
template <class V>
inline constexpr int reading_strength = -1;

/// Satisfied if and only if V is a kind of value that operations accept. Models: Tensor, Taped, Parameter.
template <class V>
concept Value = reading_strength<V> >= 0;

/// Satisfied if and only if V flows through a network: a Value that is no parameter. Models: Tensor, Taped.
template <class V>
concept FlowingValue = reading_strength<V> >= 1;

namespace detail {
template <class First, class... Rest>
struct Strongest {
  using Tail = typename Strongest<Rest...>::Type;
  using Type = std::conditional_t<(reading_strength<First> >= reading_strength<Tail>), First, Tail>;
};
template <class Only>
struct Strongest<Only> {
  using Type = Only;
};
}  // namespace detail

/// The reading that wins among several values: a plain x_t beside a taped z is taped.
template <Value... V>
using StrongestOf = typename detail::Strongest<V...>::Type;

/// Applies an operation to values, by the strongest reading among them.
template <class Op, Value... V>
auto evaluate(Op const& op, V const&... values) {
  static_assert(HasShapeRule<Op>, "An operation needs a shape rule: add `Shape shape(Shapes in) const`.");
  static_assert(HasFlopRule<Op>, "An operation needs a FLOP rule: add `double flops(Shapes in) const`.");
  static_assert(FlowingValue<StrongestOf<V...>>,
                "At least one argument of an operation must be a tensor or a taped value, not a parameter.");
  return Reading<StrongestOf<V...>>::evaluate(op, values...);
}

}  // namespace diffsiam
