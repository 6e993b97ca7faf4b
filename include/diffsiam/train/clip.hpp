// The norm of all gradients together, and clipping by it: g = g min(1, max_norm / (norm + 1e-6)), as
// torch.nn.utils.clip_grad_norm_ does (Pascanu et al., 2013).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>

#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/updates.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

/// The L2 norm over the gradients of all trainable parameters; sums across parameters in double.
/// Throws NumericError, naming the first parameter at fault, unless it is finite.
template <class B>
[[nodiscard]] double global_norm(nn::ParameterList<B> const& list) {
  using T = typename B::Scalar;
  auto const count = static_cast<Index>(list.parameters.size());
  if (count == 0) return 0;
  auto& context = list.parameters.front().parameter.value().context();
  Tensor<B> const squares = Tensor<B>::zeros(context, {count});
  for (Index i = 0; i < count; ++i) {
    auto const& parameter = list.parameters[static_cast<std::size_t>(i)].parameter;
    if (!parameter.trainable()) continue;
    B::sum(context, Grid{{1, 1, 1, 1, parameter.shape().size()}}, functional::Square{},
           Operand<T, 0>{squares.data() + i}, Operand<T, 1>{parameter.gradient().data()});
  }
  // In portions: a steady state allocates nothing large.
  double total = 0;
  std::array<T, 32> portion{};
  for (Index from = 0; from < count; from += 32) {
    Index const size = std::min<Index>(32, count - from);
    B::download(context, squares.data() + from, portion.data(), size);
    for (Index i = 0; i < size; ++i) {
      auto const square = static_cast<double>(portion[static_cast<std::size_t>(i)]);
      if (!std::isfinite(square))
        fail<NumericError>("global_norm", "finite gradients",
                           {"a squared norm of ", detail::shown(square), " in '",
                            list.parameters[static_cast<std::size_t>(from + i)].name.name, "'"},
                           "a smaller learning rate, warm-up, or clipping from the start may help");
      total += square;
    }
  }
  return std::sqrt(total);
}

/// Scales all gradients so that their norm is at most `max_norm`, and returns the norm before. Throws
/// ConfigError unless max_norm is above 0, NumericError as global_norm does, the gradients untouched.
template <class B>
double clip_by_norm(nn::ParameterList<B> const& list, double max_norm) {
  if (!(max_norm > 0)) fail<ConfigError>("clip_by_norm", "max_norm above 0", detail::shown(max_norm));
  using T = typename B::Scalar;
  double const norm = global_norm(list);
  double const factor = max_norm / (norm + 1e-6);
  if (factor < 1) {
    for (auto const& [name, parameter] : list.parameters)
      if (parameter.trainable())
        detail::for_each_element(functional::ScaleInPlace<T>{static_cast<T>(factor)}, parameter.gradient());
  }
  return norm;
}

}  // namespace diffsiam::train
