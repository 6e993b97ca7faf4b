// The norm of all gradients together, and clipping by it: g = g min(1, max_norm / (norm + 1e-6)), as in
// torch.nn.utils.clip_grad_norm_ (Pascanu et al., 2013).
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/concepts/recording.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/updates.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/train/elements.hpp>

namespace diffsiam::train {

namespace detail {

/// squares[i] = the squared norm of the gradient of parameter i; 0 for frozen parameters.
template <class B>
void square_norms(nn::ParameterList<B> const& list, Tensor<B> const& squares) {
  using T = typename B::Scalar;
  if constexpr (backend::MultiTensor<B>) {
    std::vector<TensorValues<T>> gradients;
    gradients.reserve(list.parameters.size());
    for (auto const& [name, parameter] : list.parameters)
      gradients.push_back(parameter.trainable()
                              ? TensorValues<T>{parameter.gradient().data(), parameter.shape().size()}
                              : TensorValues<T>{});
    B::square_norms(squares.context(), gradients, squares.data());
  } else {
    squares.fill(0);
    for (Index i = 0; i < squares.size(); ++i) {
      auto const& parameter = list.parameters[static_cast<std::size_t>(i)].parameter;
      if (!parameter.trainable()) continue;
      B::sum(squares.context(), Grid{{1, 1, 1, 1, parameter.shape().size()}}, functional::Square{},
             Operand<T, 0>{squares.data() + i}, Operand<T, 1>{parameter.gradient().data()});
    }
  }
}
/// The same, copied to the host. The caller keeps `squares`, so that repeated calls allocate nothing.
template <class B>
void measure_squares(nn::ParameterList<B> const& list, std::vector<typename B::Scalar>& squares) {
  squares.resize(list.parameters.size());
  if (squares.empty()) return;
  Tensor<B> const measured{list.parameters.front().parameter.value().context(),
                           {static_cast<Index>(squares.size())}};
  square_norms(list, measured);
  B::download(measured.context(), measured.data(), squares.data(), measured.size());
}

/// The root of the sum of squared norms, in double. Unless `may_overflow`, throws NumericError if a norm or
/// the sum is not finite; it names the step (if not 0) and the first parameter whose gradient is not finite.
template <class B>
[[nodiscard]] double norm_of(nn::ParameterList<B> const& list, std::span<typename B::Scalar const> squares,
                             bool may_overflow, std::uint64_t step = 0) {
  auto const refuse = [step](Text const& found) {
    fail<NumericError>(step > 0 ? "train, step " + std::to_string(step) : "global_norm", "finite gradients",
                       found, "a smaller learning rate, warm-up, or clipping from the start may help");
  };
  double total = 0;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    auto const square = static_cast<double>(squares[i]);
    if (!may_overflow && !std::isfinite(square))
      refuse({"a squared norm of ", square, " in '", list.parameters[i].name.name, "'"});
    total += square;
  }
  if (!may_overflow && !std::isfinite(total)) refuse({"squared norms whose sum is ", total});
  return std::sqrt(total);
}

/// Multiplies all gradients by `factor`; does nothing if it is 1.
template <class B>
void scale_gradients(nn::ParameterList<B> const& list, double factor) {
  if (factor == 1) return;
  using T = typename B::Scalar;
  for (auto const& [name, parameter] : list.parameters)
    if (parameter.trainable())
      for_each_element(functional::ScaleInPlace<T>{static_cast<T>(factor)}, parameter.gradient());
}

}  // namespace detail

/// The L2 norm of the gradients of all trainable parameters. Parameters are added in double. Throws
/// NumericError if it is not finite, and names the first parameter at fault, if there is one.
template <class B>
[[nodiscard]] double global_norm(nn::ParameterList<B> const& list) {
  std::vector<typename B::Scalar> squares;
  detail::measure_squares(list, squares);
  return detail::norm_of<B>(list, squares, false);
}

/// Scales all gradients so that their norm is at most `max_norm`, and returns the norm before. Throws
/// ConfigError unless max_norm is above 0, and NumericError as global_norm does; gradients are unchanged
/// then.
template <class B>
double clip_by_norm(nn::ParameterList<B> const& list, double max_norm) {
  if (!(max_norm > 0)) fail<ConfigError>("clip_by_norm", "max_norm above 0", max_norm);
  double const norm = global_norm(list);
  detail::scale_gradients(list, functional::clip_factor(norm, max_norm));
  return norm;
}

}  // namespace diffsiam::train
