// The backends that a program was built with, by the names its user gives them. A backend is a type, so a
// program holds one instance of its work for each.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include <diffsiam/core/error.hpp>

#ifdef DIFFSIAM_WITH_CUDA
#include <diffsiam/backend/cuda.cuh>
#else
#include <diffsiam/backend/cpu.hpp>
#ifdef DIFFSIAM_WITH_ONEDNN
#include <diffsiam/backend/onednn.hpp>
#endif
#endif

namespace experiments {

/// Programs for GPUs are built apart, as NAME_cuda by nvcc, through which Cpu is slower.
#ifdef DIFFSIAM_WITH_CUDA
inline constexpr char const* default_backend = "cuda";
#else
inline constexpr char const* default_backend = "cpu";
#endif

struct BackendChoice {
  std::string backend = default_backend;
  std::string precision = "float32";
};

inline void add_backend_options(CLI::App& app, BackendChoice& choice) {
  app.add_option("--backend", choice.backend, "which backend computes")
      ->check(CLI::IsMember({"cpu", "onednn", "cuda"}))
      ->capture_default_str();
  app.add_option("--precision", choice.precision, "of activations and operands; weights are float32")
      ->check(CLI::IsMember({"float32", "tf32", "bf16", "fp16"}))
      ->capture_default_str();
}

/// f.template operator()<B>() for the backend B of the choice. Throws ConfigError where this build has none
/// of that name.
template <class F>
void with_backend(BackendChoice const& choice, F const& f) {
  namespace backend = diffsiam::backend;
  auto const chosen = [&](char const* name, char const* precision) {
    return choice.backend == name && choice.precision == precision;
  };
#ifdef DIFFSIAM_WITH_CUDA
  if (chosen("cuda", "float32")) return f.template operator()<backend::Cuda<float>>();
  if (chosen("cuda", "tf32")) return f.template operator()<backend::Cuda<backend::cuda::TF32>>();
  if (chosen("cuda", "bf16")) return f.template operator()<backend::Cuda<diffsiam::BFloat16>>();
  if (chosen("cuda", "fp16")) return f.template operator()<backend::Cuda<diffsiam::Half>>();
#else
  if (chosen("cpu", "float32")) return f.template operator()<backend::Cpu<float>>();
  if (chosen("cpu", "bf16")) return f.template operator()<backend::Cpu<float, diffsiam::BFloat16>>();
#ifdef DIFFSIAM_WITH_ONEDNN
  if (chosen("onednn", "float32")) return f.template operator()<backend::OneDnn<float>>();
  if (chosen("onednn", "bf16")) return f.template operator()<backend::OneDnn<float, diffsiam::BFloat16>>();
#endif
#endif
  std::string const hint = choice.backend == "cuda"     ? "programs for GPUs end in _cuda"
                           : choice.backend == "onednn" ? "CMake says whether it found oneDNN"
                                                        : "";
  diffsiam::fail<diffsiam::ConfigError>("--backend, --precision", "what this program was built with",
                                        {choice.backend, " in ", choice.precision}, hint);
}

/// A context of B with that many threads (0: all cores), where it has any.
template <class B>
[[nodiscard]] typename B::Context make_context(int threads) {
  using Options = typename B::Context::Options;
  if constexpr (requires(Options o) { o.threads; })
    return typename B::Context{Options{.threads = threads}};
  else
    return typename B::Context{};
}

}  // namespace experiments
