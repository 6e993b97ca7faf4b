// Operation and Reading: the two sides of one bargain. An operation states its rules once; a reading of a
// value (plain, taped, traced) decides what happens when it is met.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// Some of an operation's inputs, by their numbers: {0, 2}.
class InputList {
 public:
  constexpr InputList(std::initializer_list<unsigned> inputs = {}) {
    for (unsigned const input : inputs) bits_ |= 1U << input;
  }
  [[nodiscard]] static constexpr InputList all() {
    InputList result;
    result.bits_ = ~0U;
    return result;
  }
  [[nodiscard]] constexpr bool contains(std::size_t input) const { return ((bits_ >> input) & 1U) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }

 private:
  unsigned bits_ = 0;
};

/// How an operation meets tensors that are stored in low precision (see backend::MixedPrecision): its
/// optional `static constexpr StorageRule storage_rule`. Without one all of its inputs are converted for it,
/// and its output is in full precision.
struct StorageRule {
  enum class Output {
    like_inputs,  ///< in low precision where all of `inputs` are
    by_shape,     ///< in low precision where it has positions and whole vectors of channels
  };
  /// What is read and written as it is stored, by Tensor::storage(); the rest is converted.
  enum class Native {
    nothing,
    forward,  ///< `inputs`, in both passes, and the output
    all       ///< also dy, and the gradients of `inputs`: those in low precision are written, not added into
  };
  InputList inputs;
  Native native = Native::nothing;
  Output output = Output::like_inputs;

  [[nodiscard]] constexpr bool reads_as_stored(std::size_t input) const {
    return native != Native::nothing && inputs.contains(input);
  }
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
/// `backward(Backward<B> const&)` are templates over the backend. Optional: `static constexpr InputList
/// keeps_inputs` (those that backward reads; all by default), `static constexpr bool keeps_output`
/// (false by default), and `rematerialize(Forward<B> const&)`, which computes the output again from the
/// inputs and what forward saved, for operations so cheap that memory is worth more, and a StorageRule.
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
