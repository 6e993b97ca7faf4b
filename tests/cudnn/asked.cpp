// The networks run on a backend that computes nothing and keeps the requests that Cuda would make.
#include <initializer_list>
#include <map>
#include <optional>
#include <type_traits>

#include <benchmarks/support/models.hpp>
#include <tests/cudnn/asked.hpp>

#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/concepts/declared_options.hpp>

namespace diffsiam::test {

namespace {

using backend::cuda::MixedRequests;
using backend::cuda::Pass;

/// The types of Cuda<float> and Cuda<BFloat16>, which a dry run needs to know.
template <class S>
struct TypesOfCuda {
  using Scalar = float;
  using Storage = S;
  using Context = backend::DryContext;
  using Brings = backend::Options<>;
};

struct Asked : backend::DryContext {
  std::map<backend::cuda::ConvKey, MixedRequests> requests;
};

template <class S>
struct Asking : backend::DryRun<TypesOfCuda<S>> {
  using Base = backend::DryRun<TypesOfCuda<S>>;
  using typename Base::Read;
  using typename Base::Written;
  using Context = Asked;
  using Estimates = Asking;
  using Brings = backend::Options<backend::Option::group_norm>;

  static void conv2d(Context& context, ConvGeometry const& g, Read const& x, float const* w, float const*,
                     Written const& y) {
    if constexpr (std::is_same_v<S, float>)
      keep(context, g, Pass::forward, {x, w, y});
    else
      keep(context, g, Pass::forward, y);
  }
  static void conv2d_gradient_input(Context& context, ConvGeometry const& g, Read const& dy, float const* w,
                                    Written const& dx) {
    if constexpr (std::is_same_v<S, float>)
      keep(context, g, Pass::gradient_input, {dy, w});
    else
      keep(context, g, Pass::gradient_input, dx);
  }
  static void conv2d_gradient_weight(Context& context, ConvGeometry const& g, Read const& x, Read const& dy,
                                     float* dw) {
    if constexpr (std::is_same_v<S, float>)
      keep(context, g, Pass::gradient_weight, {x, dy});
    else
      keep(context, g, Pass::gradient_weight, Written{dw});
  }
  template <class Act>
  static void group_norm(Context&, NormGeometry const&, NormForward<float, Read, Written> const&) {}
  template <class Act>
  static void group_norm_gradient(Context&, NormGeometry const&, NormBackward<float, Read, Written> const&) {}

 private:
  static void keep(Context& context, ConvGeometry const& g, Pass pass,
                   std::initializer_list<void const*> tensors) {
    auto const request = backend::cuda::full_request(g, pass, backend::cuda::Math::float32, tensors);
    context.requests.try_emplace(key_of(request), MixedRequests{request, std::nullopt});
  }
  static void keep(Context& context, ConvGeometry const& g, Pass pass, Written const& wanted) {
    if (backend::cuda::is_product(g) && pass != Pass::forward) return;
    auto const requests = backend::cuda::mixed_requests(g, pass, wanted);
    context.requests.try_emplace(key_of(requests.best), requests);
  }
};

/// Forward and backward passes of the denoiser and of DiffSiam, as benchmarks/training_step.cpp has them.
template <class S>
[[nodiscard]] std::vector<MixedRequests> asked(std::string const& config, Index batch) {
  using B = Asking<S>;
  auto const sizes = bench::sizes_of(config);
  Asked context;
  UNet<B> const denoiser{context, sizes.denoiser};
  auto const schedule = NoiseSchedule::linear();
  Tensor<B> const images{context, sizes.images(batch)};
  auto const noised = add_noise(schedule, images, Rng{.seed = 1});
  {
    Tape<B> tape{context};
    tape.backward(loss::Noise{schedule}(denoiser(tape.input(noised.x_t), noised.t), noised));
  }
  // Afterwards, because the shift decoder freezes a part of the denoiser.
  DiffSiam<B> const model = bench::make_diffsiam(context, denoiser, sizes);
  {
    Tape<B> tape{context};
    tape.backward(model.diffusion_loss(model.encode(tape.input(images)), noised));
  }
  std::vector<MixedRequests> result;
  for (auto const& [key, requests] : context.requests) result.push_back(requests);
  return result;
}

}  // namespace

std::vector<backend::cuda::ConvRequest> asked_in_float32(std::string const& config, Index batch) {
  std::vector<backend::cuda::ConvRequest> result;
  for (MixedRequests const& requests : asked<float>(config, batch)) result.push_back(requests.best);
  return result;
}

std::vector<MixedRequests> asked_in_bfloat16(std::string const& config, Index batch) {
  return asked<BFloat16>(config, batch);
}

}  // namespace diffsiam::test
