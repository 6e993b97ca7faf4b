// Calls a program's template with the backend that the options name.
#pragma once

#include <stdexcept>

#include <diffsiam/backend/cpu.hpp>
#ifdef DIFFSIAM_WITH_ONEDNN
#include <diffsiam/backend/onednn.hpp>
#endif

#include "options.hpp"

namespace bench {

/// f.template operator()<B>() for the backend B of the options. Throws std::runtime_error where this build
/// has none of that name.
template <class F>
void with_backend(Options const& options, F const& f) {
  namespace backend = diffsiam::backend;
  if (options.backend == "cpu" && options.precision == "float32")
    return f.template operator()<backend::Cpu<float>>();
  if (options.backend == "cpu" && options.precision == "bf16")
    return f.template operator()<backend::Cpu<float, diffsiam::BFloat16>>();
#ifdef DIFFSIAM_WITH_ONEDNN
  if (options.backend == "onednn" && options.precision == "float32")
    return f.template operator()<backend::OneDnn<float>>();
#endif
  throw std::runtime_error("this build has no backend " + options.backend + " in " + options.precision);
}

}  // namespace bench
