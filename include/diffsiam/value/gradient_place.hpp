// GradientPlace: where a tape adds the gradients of parameters, if not to the parameters themselves.
#pragma once

#include <diffsiam/value/parameter.hpp>

namespace diffsiam {

/// Told of each use of a trainable parameter, and again when the backward pass has come past it. After the
/// last of these calls the gradient is whole.
template <class B>
class GradientPlace {
 public:
  GradientPlace() = default;
  GradientPlace(GradientPlace const&) = delete;
  GradientPlace& operator=(GradientPlace const&) = delete;
  virtual ~GradientPlace() = default;

  /// The forward pass has used `parameter` once more.
  virtual void used(Parameter<B> const& parameter) = 0;
  /// Where to add: zero when it is first asked for.
  [[nodiscard]] virtual Tensor<B> gradient_of(Parameter<B> const& parameter) = 0;
  /// The backward pass has come past one use of `parameter`.
  virtual void passed(Parameter<B> const& parameter) = 0;
};

}  // namespace diffsiam
