// Where training and inference differ, the value decides unless told: a taped value trains, a plain one does
// not.
#pragma once

#include <diffsiam/value/taped.hpp>

namespace diffsiam::nn {

template <class B>
[[nodiscard]] Mode mode_of(Tensor<B> const&) {
  return Mode::inference;
}
template <class B>
[[nodiscard]] Mode mode_of(Taped<B> const& value) {
  return value.tape().mode();
}

}  // namespace diffsiam::nn
