// The main function of a step benchmark: options, the backend they name, one JSON line.
#pragma once

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#ifdef DIFFSIAM_WITH_CUDA
#include <diffsiam/backend/cuda.cuh>
#else
#include <diffsiam/backend/cpu.hpp>
#ifdef DIFFSIAM_WITH_ONEDNN
#include <diffsiam/backend/onednn.hpp>
#endif
#endif

#include "options.hpp"

namespace bench {

/// f.template operator()<B>() for the backend B of the options. Throws std::runtime_error where this build
/// has none of that name.
template <class F>
void with_backend(Options const& options, F const& f) {
  namespace backend = diffsiam::backend;
  // Programs for GPUs are built apart, by nvcc, through which Cpu is slower.
#ifdef DIFFSIAM_WITH_CUDA
  if (options.backend == "cuda" && options.precision == "float32")
    return f.template operator()<backend::Cuda<float>>();
  if (options.backend == "cuda" && options.precision == "tf32")
    return f.template operator()<backend::Cuda<backend::cuda::TF32>>();
#else
  if (options.backend == "cpu" && options.precision == "float32")
    return f.template operator()<backend::Cpu<float>>();
  if (options.backend == "cpu" && options.precision == "bf16")
    return f.template operator()<backend::Cpu<float, diffsiam::BFloat16>>();
#ifdef DIFFSIAM_WITH_ONEDNN
  if (options.backend == "onednn" && options.precision == "float32")
    return f.template operator()<backend::OneDnn<float>>();
  if (options.backend == "onednn" && options.precision == "bf16")
    return f.template operator()<backend::OneDnn<float, diffsiam::BFloat16>>();
#endif
#endif
  throw std::runtime_error("this build has no backend " + options.backend + " in " + options.precision);
}

/// A context of B with the threads of the options, where it has any.
template <class B>
[[nodiscard]] typename B::Context make_context(Options const& options) {
  using ContextOptions = typename B::Context::Options;
  if constexpr (requires(ContextOptions o) { o.threads; })
    return typename B::Context{ContextOptions{.threads = options.threads}};
  else
    return typename B::Context{};
}

/// measure.template operator()<B>(options) -> the record to print. Returns the exit status.
template <class F>
int run_program(int argc, char** argv, std::string const& purpose, F const& measure) {
  Options options;
  CLI::App app{purpose};
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    with_backend(options, [&]<class B>() {
      std::printf("%s\n", measure.template operator()<B>(options).dump().c_str());
    });
    return 0;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace bench
