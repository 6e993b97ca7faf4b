// fastest: the choice among plans that are measured, of which some may not run.
#pragma once

#include <cstddef>
#include <exception>
#include <limits>

#include <diffsiam/core/error.hpp>

namespace diffsiam::backend::cuda {

/// The index of the fastest of `count` candidates, the first one if several are equal. time(i, least) is the
/// time of candidate i; `least` is the best so far. A candidate that throws DeviceError, for example because
/// its workspace does not fit, is passed over. An error after which the GPU cannot be used is not lost by
/// that: CUDA returns it from every later call. If all do, or if there are none, DeviceError is thrown.
template <class Time>
[[nodiscard]] std::size_t fastest(std::size_t count, Time const& time) {
  float least = std::numeric_limits<float>::infinity();
  std::size_t best = count;
  std::exception_ptr error;
  for (std::size_t i = 0; i < count; ++i) {
    try {
      float const taken = time(i, least);
      if (taken >= least) continue;
      least = taken;
      best = i;
    } catch (DeviceError const&) {
      error = std::current_exception();
    }
  }
  if (best < count) return best;
  if (error) std::rethrow_exception(error);
  fail<DeviceError>("conv2d", "a plan that runs", "none");
}

}  // namespace diffsiam::backend::cuda
