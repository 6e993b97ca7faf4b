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

namespace detail {

/// Overwrites `squares`, one for each parameter, with the squared norm of its gradient; 0 for frozen ones.
template <class B>
void square_norms(nn::ParameterList<B> const& list, Tensor<B> const& squares) {
  squares.fill(0);
  for (Index i = 0; i < squares.size(); ++i) {
    auto const& parameter = list.parameters[static_cast<std::size_t>(i)].parameter;
    if (!parameter.trainable()) continue;
    B::sum(squares.context(), Grid{{1, 1, 1, 1, parameter.shape().size()}}, functional::Square{},
           Operand<typename B::Scalar, 0>{squares.data() + i},
           Operand<typename B::Scalar, 1>{parameter.gradient().data()});
  }
}
template <class B>
[[nodiscard]] Tensor<B> squared_norms(nn::ParameterList<B> const& list) {
  Tensor<B> const squares{list.parameters.front().parameter.value().context(),
                          {static_cast<Index>(list.parameters.size())}};
  square_norms(list, squares);
  return squares;
}

/// The root of their sum, in double; each(i, square) sees all of them. Not finite where one is not.
template <class B, class Each>
[[nodiscard]] double norm_of(Tensor<B> const& squares, Each const& each) {
  // In portions: a steady state allocates nothing large.
  double total = 0;
  std::array<typename B::Scalar, 32> portion{};
  for (Index from = 0; from < squares.size(); from += 32) {
    Index const size = std::min<Index>(32, squares.size() - from);
    B::download(squares.context(), squares.data() + from, portion.data(), size);
    for (Index i = 0; i < size; ++i) {
      auto const square = static_cast<double>(portion[static_cast<std::size_t>(i)]);
      each(from + i, square);
      total += square;
    }
  }
  return std::sqrt(total);
}

/// Throws the error of a gradient that is not finite, if this is one.
template <class B>
void require_finite(nn::ParameterList<B> const& list, Index i, double square) {
  if (!std::isfinite(square))
    fail<NumericError>(
        "global_norm", "finite gradients",
        {"a squared norm of ", square, " in '", list.parameters[static_cast<std::size_t>(i)].name.name, "'"},
        "a smaller learning rate, warm-up, or clipping from the start may help");
}

/// All gradients times `factor`; nothing for 1.
template <class B>
void scale_gradients(nn::ParameterList<B> const& list, double factor) {
  if (factor == 1) return;
  using T = typename B::Scalar;
  for (auto const& [name, parameter] : list.parameters)
    if (parameter.trainable())
      for_each_element(functional::ScaleInPlace<T>{static_cast<T>(factor)}, parameter.gradient());
}

}  // namespace detail

/// The L2 norm over the gradients of all trainable parameters; sums across parameters in double.
/// Throws NumericError, naming the first parameter at fault, unless it is finite.
template <class B>
[[nodiscard]] double global_norm(nn::ParameterList<B> const& list) {
  if (list.parameters.empty()) return 0;
  return detail::norm_of(detail::squared_norms(list),
                         [&](Index i, double square) { detail::require_finite(list, i, square); });
}

/// Scales all gradients so that their norm is at most `max_norm`, and returns the norm before. Throws
/// ConfigError unless max_norm is above 0, NumericError as global_norm does, the gradients untouched.
template <class B>
double clip_by_norm(nn::ParameterList<B> const& list, double max_norm) {
  if (!(max_norm > 0)) fail<ConfigError>("clip_by_norm", "max_norm above 0", max_norm);
  double const norm = global_norm(list);
  detail::scale_gradients(list, functional::clip_factor(norm, max_norm));
  return norm;
}

}  // namespace diffsiam::train
