// Parts of the user's own that lack what is asked of them: each is refused with a sentence.
// EXPECT: A noise schedule is called with (int t, int timesteps) and returns beta_t; see BetaSchedule.
// EXPECT: A predictor is called with (x, t, SamplerStep) and returns a tensor of x's shape;
// EXPECT: A backbone is built from (init, config) and maps pictures to features; see EncoderBackbone.
// EXPECT: A head is built from (init, features, partition, layout) and maps features to z;
// EXPECT: An augmentation is called with (image, extent, rng, scratch) and writes a view;
#include <diffsiam/backend/reference.hpp>
#include <diffsiam/data/two_views.hpp>
#include <diffsiam/diffusion/ddpm.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>

namespace ds = diffsiam;
using B = ds::backend::Reference<float>;

#ifdef TWIN
#include <tests/consumer/subproject/own_backbone.hpp>
#include <tests/consumer/subproject/own_head.hpp>
#include <tests/consumer/subproject/own_predictor.hpp>
#include <tests/consumer/subproject/own_schedule.hpp>
#include <tests/consumer/subproject/own_view.hpp>
#else
struct QuadraticBetas {};
template <class>
struct KnowsThePicture {};
template <class>
struct OneConvolution {
  struct Config {};
};
template <class>
struct UnitHead {};
struct Negative {};
#endif

using OwnBackbone = ds::encoder::ModularEncoder<B, OneConvolution<B>>;
using OwnHead = ds::encoder::ModularEncoder<B, ds::encoder::ConvBackbone<B>, UnitHead<B>>;

void use(ds::Tensor<B> const& x, QuadraticBetas const& betas, KnowsThePicture<B> const& predict) {
  (void)ds::diffusion::ddpm_sample(ds::diffusion::NoiseSchedule::of(betas), x, predict);
  (void)sizeof(OwnBackbone);
  (void)sizeof(OwnHead);
  (void)ds::data::TwoViews{Negative{}};
}
