// Operations on tensors in low precision: inputs and outputs that an operation does not read or write as they
// are stored are converted here, as the StorageRule of the operation says. For backends without mixed
// precision this code does nothing.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::detail {

/// The most inputs that an operation may have.
inline constexpr std::size_t most_inputs = 4;
template <class B>
using InputArray = std::array<Tensor<B>, most_inputs>;

/// Memory for an output of `shape`, in low precision if the StorageRule says so.
template <class B>
[[nodiscard]] Tensor<B> output_tensor(typename B::Context& context, StorageRule const& rule,
                                      std::span<Tensor<B> const> in, Shape const& shape) {
  if constexpr (backend::MixedPrecision<B>) {
    constexpr Index vector = 16;
    bool low = !rule.inputs.empty();
    if (rule.output == StorageRule::Output::by_shape)
      low = shape.rank() > 2 && shape.channels() % vector == 0;
    else
      for (std::size_t i = 0; i < in.size(); ++i)
        low = low && (!rule.inputs.contains(i) || in[i].is_low_precision());
    if (low) return Tensor<B>::low_precision(context, shape);
  }
  return {context, shape};
}

/// The same inputs; those that are not read as they are stored are converted to full precision. Inputs that
/// are not `kept` have only a shape and are not converted.
template <class B>
[[nodiscard]] InputArray<B> converted(StorageRule const& rule, std::span<Tensor<B> const> in,
                                      InputList kept = InputList::all()) {
  InputArray<B> result;
  for (std::size_t i = 0; i < in.size(); ++i)
    result[i] = rule.reads_as_stored(i) || !kept.contains(i) ? in[i] : in[i].full_precision();
  return result;
}

/// Calls run(pass) with inputs and output in the form that the operation takes.
template <class B, class Run>
void run_forward(StorageRule const& rule, Forward<B> const& pass, Run const& run) {
  if constexpr (backend::MixedPrecision<B>) {
    auto const in = converted<B>(rule, pass.in);
    bool const narrows = pass.out.is_low_precision() && rule.native == StorageRule::Native::nothing;
    Tensor<B> const out = narrows ? pass.scratch(pass.out.shape()) : pass.out;
    run(Forward<B>{pass.context, std::span{in}.first(pass.in.size()), out, pass.saved});
    if (narrows) pass.out.assign(out);
  } else {
    run(pass);
  }
}

/// gradient += more, for a gradient in low precision, which may be empty; `more` may be in full precision.
template <backend::MixedPrecision B>
void add_to_low_precision(Tensor<B>& gradient, Tensor<B> const& more) {
  if (!gradient && more.is_low_precision()) {
    gradient = more;
    return;
  }
  // Not in place, because others may share the memory.
  auto const sum = Tensor<B>::low_precision(more.context(), more.shape());
  if (gradient) {
    SampleGrid const all{1, 1, more.size()};
    B::for_each(more.context(), all.grid(), functional::LinearCombination<typename B::Scalar>{1, 1},
                all.full(sum.storage()), all.full(gradient.storage()), all.full(more.storage()));
  } else {
    sum.assign(more);
  }
  gradient = sum;
}

/// Calls run(inputs, gradients, so_far) for a backward pass, with tensors in the form that the operation
/// takes; `out` and `dy` themselves are converted. sources[i] is the node that takes the gradient of input i,
/// null if none is needed; so_far[i] is its gradient before, where the operation adds to it.
template <class B, class Source, class Run>
void run_backward(StorageRule const& rule, InputList kept, std::span<Tensor<B> const> in, Tensor<B>& out,
                  Tensor<B>& dy, std::span<Source* const> sources, Run const& run) {
  std::array<Tensor<B>*, most_inputs> gradients{};
  auto const targets = std::span{gradients}.first(in.size());
  if constexpr (backend::MixedPrecision<B>) {
    bool const native = rule.native == StorageRule::Native::all;
    auto const inputs = converted<B>(rule, in, kept);
    out = out.full_precision();
    if (!native) dy = dy.full_precision();
    InputArray<B> fresh, so_far;  // gradients of inputs in low precision
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (sources[i] == nullptr) continue;
      if (!sources[i]->is_low_precision()) {
        gradients[i] = &sources[i]->gradient();
        continue;
      }
      fresh[i] = native ? Tensor<B>::low_precision(in[i].context(), in[i].shape())
                        : Tensor<B>::zeros(in[i].context(), in[i].shape());
      gradients[i] = &fresh[i];
      if constexpr (backend::AddsToLowPrecision<B>)
        if (rule.adds.contains(i) && sources[i]->has_gradient()) so_far[i] = sources[i]->gradient();
    }
    run(std::span<Tensor<B> const>{inputs}.first(in.size()), targets,
        std::span<Tensor<B> const>{so_far}.first(in.size()));
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!fresh[i]) continue;
      if (so_far[i])
        sources[i]->gradient() = std::exchange(fresh[i], {});
      else
        sources[i]->add_to_gradient(std::exchange(fresh[i], {}));
    }
  } else {
    for (std::size_t i = 0; i < in.size(); ++i)
      if (sources[i] != nullptr) gradients[i] = &sources[i]->gradient();
    run(in, targets, std::span<Tensor<B> const>{});
  }
}

}  // namespace diffsiam::detail
