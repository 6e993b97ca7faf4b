// Operation and Reading: an operation states its rules once, and the reading of a value
// (plain, taped, traced) decides what happens when the operation is applied to it.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <type_traits>

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// A set of inputs of an operation, by their numbers: {0, 2}.
class InputList {
 public:
  /// The inputs with these numbers, each below 32.
  constexpr InputList(std::initializer_list<unsigned> inputs = {}) {
    for (unsigned const input : inputs) bits_ |= 1U << input;
  }
  /// Every input.
  [[nodiscard]] static constexpr InputList all() {
    InputList result;
    result.bits_ = ~0U;
    return result;
  }
  /// Whether input number `input` is one of them.
  [[nodiscard]] constexpr bool contains(std::size_t input) const { return ((bits_ >> input) & 1U) != 0; }
  /// Whether it has no input.
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }

 private:
  unsigned bits_ = 0;
};

/// How an operation treats tensors that are stored in low precision (see backend::MixedPrecision). An
/// operation has it as an optional `static constexpr StorageRule storage_rule`. Without one all inputs are
/// converted for it, and its output is in full precision.
struct StorageRule {
  /// In which precision an operation writes its output, where it writes low precision at all.
  enum class Output {
    like_inputs,  ///< in low precision if all of `inputs` are
    by_shape,     ///< in low precision if it has positions and its channels fill whole vectors
  };
  /// Which tensors are read and written as they are stored, by Tensor::storage(). The others are converted.
  enum class Native {
    nothing,
    forward,  ///< `inputs`, in both passes, and the output
    all       ///< also dy and the gradients of `inputs`; those in low precision are overwritten, not added to
  };
  InputList inputs;                     ///< those that are read as they are stored
  Native native = Native::nothing;      ///< how far the operation reads and writes them itself
  Output output = Output::like_inputs;  ///< when the output is in low precision
  /// Those whose gradient in low precision it adds to Backward::earlier() itself, on backends that do so
  /// (backend::AddsToLowPrecision). For others the tape adds gradients.
  InputList adds{};

  /// Whether `input` comes to the operation as it is stored.
  [[nodiscard]] constexpr bool reads_as_stored(std::size_t input) const {
    return native != Native::nothing && inputs.contains(input);
  }
};

/// Satisfied if and only if Op states the shape of its result: `Shape shape(Shapes) const`, which throws
/// ShapeError for inputs that do not fit.
template <class Op>
concept HasShapeRule = requires(Op const& op, Shapes in) {
  { op.shape(in) } -> std::same_as<Shape>;
};
/// Satisfied if and only if Op states its cost: `double flops(Shapes) const`, where additions and
/// multiplications are counted separately.
template <class Op>
concept HasFlopRule = requires(Op const& op, Shapes in) {
  { op.flops(in) } -> std::convertible_to<double>;
};
/// Satisfied if and only if Op has a name and both rules. `forward(Forward<B> const&)` and
/// `backward(Backward<B> const&)` are templates over the backend. Optional members are
///   - `static constexpr InputList keeps_inputs`: the inputs that backward reads; all by default;
///   - `static constexpr bool keeps_output`: whether backward reads the output; false by default;
///   - `rematerialize(Forward<B> const&)`: computes the output again from the inputs and what forward saved,
///     for operations that are so cheap that memory is worth more;
///   - a StorageRule.
template <class Op>
concept Operation = HasShapeRule<Op> && HasFlopRule<Op> && requires {
  { Op::name } -> std::convertible_to<std::string_view>;
};

/// What a kind of value does with an operation: a specialisation has `static V evaluate(op, values...)`.
template <class V>
struct Reading;

/// Which reading is used if arguments differ; the largest number decides: 0 for parameters, 1 for plain and 2
/// for taped values.
template <class V>
inline constexpr int reading_strength = -1;

/// Satisfied if and only if V is a kind of value that operations accept. Models: Tensor, Taped, Parameter.
template <class V>
concept Value = reading_strength<V> >= 0;

/// Satisfied if and only if V is a Value and not a parameter. Models: Tensor, Taped.
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

/// The type whose reading is used for several values. For a plain x_t and a taped z it is the taped one.
template <Value... V>
using StrongestOf = typename detail::Strongest<V...>::Type;

namespace detail {
/// Whether a value is of another backend than Flowing, whose reading is used. Parameters are asked elsewhere,
/// because a dry run takes those of its backend.
template <class Flowing, class V>
inline constexpr bool of_another_backend = [] {
  if constexpr (FlowingValue<V> && requires {
                  typename Flowing::Backend;
                  typename V::Backend;
                })
    return !std::is_same_v<typename Flowing::Backend, typename V::Backend>;
  else
    return false;
}();
}  // namespace detail

/// Applies an operation to values, by the strongest reading among them: `evaluate(ops::Affine{2}, x)`. Throws
/// what the shape rule of the operation throws.
template <class Op, Value... V>
auto evaluate(Op const& op, V const&... values) {
  static_assert(HasShapeRule<Op>, "An operation needs a shape rule: add `Shape shape(Shapes in) const`.");
  static_assert(HasFlopRule<Op>, "An operation needs a FLOP rule: add `double flops(Shapes in) const`.");
  static_assert(FlowingValue<StrongestOf<V...>>,
                "At least one argument of an operation must be a tensor or a taped value, not a parameter.");
  static_assert(!(detail::of_another_backend<StrongestOf<V...>, V> || ...),
                "The values of an operation must live on one backend: make them all of the same B.");
  return Reading<StrongestOf<V...>>::evaluate(op, values...);
}

}  // namespace diffsiam
