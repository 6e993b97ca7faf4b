// Where training and evaluation differ, the value decides unless a mode is given: a taped value means
// training, a plain value evaluation.
#pragma once

#include <diffsiam/value/taped.hpp>

namespace diffsiam::nn {

/// The mode of a layer that is given this value: evaluation for plain ones, else that of the tape.
template <class B>
[[nodiscard]] Mode mode_of(Tensor<B> const&) {
  return Mode::evaluation;
}
template <class B>
[[nodiscard]] Mode mode_of(Taped<B> const& value) {
  return value.tape().mode();
}

}  // namespace diffsiam::nn
