// Cases for whole networks, small but complete, and for their losses.
#pragma once

#include <diffsiam/diffusion/noise_schedule.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/encoder/resnet.hpp>
#include <diffsiam/encoder/reveal.hpp>
#include <diffsiam/encoder/siamese_heads.hpp>
#include <diffsiam/loss/denoising.hpp>
#include <diffsiam/loss/diffusion_loss.hpp>
#include <diffsiam/loss/nt_xent.hpp>
#include <diffsiam/loss/simsiam.hpp>
#include <diffsiam/loss/vicreg.hpp>
#include <diffsiam/model/latent_denoiser.hpp>
#include <diffsiam/testing/case.hpp>
#include <diffsiam/unet/shift_decoder.hpp>

namespace diffsiam::testing::cases {

namespace detail {

[[nodiscard]] inline unet::Config small_unet() {
  return {.in_channels = 1,
          .base_channels = 4,
          .multipliers = {1, 2},
          .blocks_per_level = 1,
          .attention_factors = {2},
          .heads = 2,
          .groups = 2,
          .dropout = 0.1};
}
[[nodiscard]] inline encoder::TimestepPartition small_partition() {
  return encoder::TimestepPartition::uniform({.timesteps = 1000, .subsets = 3, .dims = 7});
}

}  // namespace detail

/// Calls visit(case) for denoisers and the shift decoder.
template <class Visit>
void networks(Visit&& visit) {
  visit(module_case("UNet", {{2, 4, 6, 1}}, {{Kind::time_steps, {2}}},
                    []<class B>(typename B::Context& c) { return unet::UNet<B>{c, detail::small_unet()}; }));
  visit(module_case(
      "ShiftDecoder", {{2, 5}}, {{Kind::normal, {2, 4, 6, 1}}, {Kind::time_steps, {2}}},
      []<class B>(typename B::Context& c) {
        return unet::ShiftDecoder<B>{c, unet::UNet<B>{c, detail::small_unet()}, {.latent_dims = 5}};
      },
      [](auto const& decoder, auto const& z, auto const& x_t, auto const& t) {
        return decoder(x_t, t, z).gradient;
      }));
  visit(
      module_case("LatentDenoiser", {{3, 6}}, {{Kind::time_steps, {3}}}, []<class B>(typename B::Context& c) {
        return model::LatentDenoiser<B>{
            c, {.dims = 6, .hidden = 8, .layers = 3, .time_dims = 4, .time_width = 5}};
      }));
}

/// Calls visit(case) for encoders, siamese heads and reveal().
template <class Visit>
void encoders(Visit&& visit) {
  visit(module_case("ModularEncoder", {{2, 6, 8, 2}}, []<class B>(typename B::Context& c) {
    return encoder::ModularEncoder<B>{c,
                                      {.backbone = {.in_channels = 2,
                                                    .height = 6,
                                                    .width = 8,
                                                    .channels = {4, 8},
                                                    .attention_after = 0,
                                                    .heads = 2,
                                                    .groups = 2},
                                       .partition = detail::small_partition()}};
  }));
  visit(module_case("ResNet10", {{4, 16, 16, 2}}, []<class B>(typename B::Context& c) {
    return encoder::ModularEncoder<B, encoder::ResNet10<B>>{
        c, {.backbone = {.in_channels = 2, .width = 2}, .partition = detail::small_partition()}};
  }));
  visit(module_case("ModularEncoder, a head a subset", {{2, 5, 4, 1}}, []<class B>(typename B::Context& c) {
    return encoder::ModularEncoder<B, encoder::ConvBackbone<B>, encoder::SubsetHeads<B>>{
        c,
        {.backbone =
             {.in_channels = 1, .height = 5, .width = 4, .channels = {4}, .attention_after = -1, .groups = 2},
         .partition = detail::small_partition()}};
  }));
  visit(module_case(
      "SimSiamHeads", {{6, 8}},
      []<class B>(typename B::Context& c) {
        return encoder::SimSiamHeads<B>{c, {.dims = 8, .hidden_dims = 6, .out_dims = 5, .predictor_dims = 4}};
      },
      [](auto const& heads, auto const& x) { return heads.predict(heads.project(x)); }));
  visit(module_case(
      "SimClrHead", {{4, 6}},
      []<class B>(typename B::Context& c) {
        return encoder::SimClrHead<B>{c, {.dims = 6, .hidden = 5, .out = 4}};
      },
      [](auto const& head, auto const& x) { return head.project(x); }));
  visit(module_case(
      "VicRegHead", {{6, 4}},
      []<class B>(typename B::Context& c) {
        return encoder::VicRegHead<B>{c, {.dims = 4, .hidden_dims = 6, .out_dims = 5}};
      },
      [](auto const& head, auto const& x) { return head.project(x); }));
  visit(op_case("reveal", {{4, 7}}, {{Kind::time_steps, {4}}}, [](auto const& z, auto const& t) {
    return encoder::reveal(detail::small_partition(), z, t);
  }));
}

/// Calls visit(case) for each loss.
template <class Visit>
void losses(Visit&& visit) {
  visit(op_case("loss::Noise", {{2, 3, 2, 1}}, {{Kind::normal, {2, 3, 2, 1}}, {Kind::time_steps, {2}}},
                [](auto const& eps, auto const& noise, auto const& t) {
                  using B = typename std::remove_cvref_t<decltype(t)>::Backend;
                  loss::Noise const loss{diffusion::NoiseSchedule::linear(1000, 1e-4, 0.02)};
                  return loss(eps, diffusion::Noised<B>{noise, t, noise});
                }));
  visit(op_case("loss::Denoising", {{2, 3, 2, 1}},
                {{Kind::normal, {2, 3, 2, 1}}, {Kind::normal, {2, 3, 2, 1}}, {Kind::time_steps, {2}}},
                [](auto const& v, auto const& x_0, auto const& noise, auto const& t) {
                  using B = typename std::remove_cvref_t<decltype(t)>::Backend;
                  loss::Denoising const loss{diffusion::NoiseSchedule::linear(1000, 1e-4, 0.02),
                                             diffusion::PredictionTarget::v};
                  return loss(v, x_0, diffusion::Noised<B>{noise, t, noise});
                }));
  visit(op_case("loss::ShiftedNoise", {{2, 3, 2, 1}, {2, 3, 2, 1}},
                {{Kind::normal, {2, 3, 2, 1}}, {Kind::time_steps, {2}}},
                [](auto const& eps, auto const& gradient, auto const& noise, auto const& t) {
                  using B = typename std::remove_cvref_t<decltype(t)>::Backend;
                  loss::ShiftedNoise const loss{diffusion::NoiseSchedule::linear(1000, 1e-4, 0.02)};
                  return loss(eps, gradient, diffusion::Noised<B>{noise, t, noise});
                }));
  // Detached values are constants here, because differences cannot stop gradients.
  visit(op_case("loss::SimSiam", {{4, 5}, {4, 5}}, {{Kind::normal, {4, 5}}, {Kind::normal, {4, 5}}},
                [](auto const& p_1, auto const& p_2, auto const& z_1, auto const& z_2) {
                  return loss::SimSiam{}(p_1, p_2, z_1, z_2);
                }));
  visit(op_case("loss::NtXent", {{6, 4}}, [](auto const& h) { return loss::NtXent{0.5}(h); }));
  visit(op_case("loss::VicReg", {{6, 4}, {6, 4}},
                [](auto const& z_1, auto const& z_2) { return loss::VicReg{}(z_1, z_2); }));
}

}  // namespace diffsiam::testing::cases
