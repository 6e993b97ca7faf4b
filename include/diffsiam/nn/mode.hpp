// Where training and evaluation differ, the value decides unless a mode is given: a taped value means
// training, a plain value evaluation.
#pragma once

#include <diffsiam/value/taped.hpp>

namespace diffsiam::nn {

template <class B>
[[nodiscard]] Mode mode_of(Tensor<B> const&) {
  return Mode::evaluation;
}
template <class B>
[[nodiscard]] Mode mode_of(Taped<B> const& value) {
  return value.tape().mode();
}

}  // namespace diffsiam::nn
