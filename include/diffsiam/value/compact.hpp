// How compact tensors meet operations: what an operation cannot read is widened for it, and what it does not
// write compact is narrowed behind it. Nothing of this is left where a backend has no compact type.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::detail {

/// The most inputs that an operation may have.
inline constexpr std::size_t most_inputs = 4;

[[nodiscard]] inline bool has_bit(unsigned bits, std::size_t i) {
  return ((bits >> i) & 1U) != 0;
}

/// Memory for an output of `shape`.
template <class B>
[[nodiscard]] Tensor<B> output_tensor(typename B::Context& context, CompactRule const& rule,
                                      std::span<Tensor<B> const> in, Shape const& shape) {
  if constexpr (backend::Compacting<B>) {
    constexpr Index vector = 16;
    bool compact = rule.output != CompactRule::Output::full;
    if (rule.output == CompactRule::Output::images)
      compact = shape.rank() > 2 && shape.channels() % vector == 0;
    else
      for (std::size_t i = 0; i < in.size(); ++i)
        compact = compact && (!has_bit(rule.likens, i) || in[i].is_compact());
    if (compact) return Tensor<B>::compact(context, shape);
  }
  return {context, shape};
}

/// The same inputs, but for those of `as_they_are` in full.
template <class B>
[[nodiscard]] std::array<Tensor<B>, most_inputs> widened(std::span<Tensor<B> const> in,
                                                         unsigned as_they_are) {
  std::array<Tensor<B>, most_inputs> result;
  for (std::size_t i = 0; i < in.size(); ++i) result[i] = has_bit(as_they_are, i) ? in[i] : in[i].widened();
  return result;
}

/// run(pass) with inputs and output as the operation takes them.
template <class B, class Run>
void run_forward(CompactRule const& rule, Forward<B> const& pass, Run const& run) {
  if constexpr (backend::Compacting<B>) {
    auto const in = widened<B>(pass.in, rule.reads);
    bool const narrows = pass.out.is_compact() && !rule.writes;
    Tensor<B> const out = narrows ? pass.scratch(pass.out.shape()) : pass.out;
    run(Forward<B>{pass.context, std::span{in}.first(pass.in.size()), out, pass.saved});
    if (narrows) pass.out.assign(out);
  } else {
    run(pass);
  }
}

}  // namespace diffsiam::detail
