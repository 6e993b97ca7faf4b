// Cases for the models that DiffSiam is compared with, small but complete, and for their losses.
#pragma once

#include <array>

#include <diffsiam/model/autoencoder.hpp>
#include <diffsiam/model/beta_vae.hpp>
#include <diffsiam/model/classifier.hpp>
#include <diffsiam/testing/case.hpp>

namespace diffsiam::testing::cases {

namespace detail {

/// An encoder for pictures (n, 5, 6, 1), whose sides become 5 -> 3 -> 2 and 6 -> 3 -> 2. There are two
/// channels in each group; with only one, the gradient of the bias before a norm would be nothing but
/// rounding.
template <class B>
[[nodiscard]] encoder::ModularEncoder<B> baseline_encoder(typename B::Context& context, int dims) {
  return {
      context,
      {.backbone = {.in_channels = 1,
                    .height = 5,
                    .width = 6,
                    .channels = {4, 8},
                    .attention_after = -1,
                    .groups = 2},
       .partition = encoder::TimestepPartition::uniform({.timesteps = 1000, .subsets = 1, .dims = dims})}};
}
template <class B>
[[nodiscard]] encoder::ConvDecoder<B> baseline_decoder(typename B::Context& context, Index dims) {
  return {context,
          {.channels = 1, .height = 5, .width = 6, .widths = {4, 8}, .latent_dims = dims, .groups = 2}};
}

}  // namespace detail

/// Calls visit(case) for decoders, autoencoders, VAEs and classifiers.
template <class Visit>
void baselines(Visit&& visit) {
  visit(module_case("ConvDecoder", {{2, 3}}, []<class B>(typename B::Context& c) {
    return encoder::ConvDecoder<B>{
        c, {.channels = 2, .height = 7, .width = 4, .widths = {4, 8}, .latent_dims = 3, .groups = 2}};
  }));
  visit(module_case(
      "Autoencoder, loss", {{2, 5, 6, 1}},
      []<class B>(typename B::Context& c) {
        return model::Autoencoder<B>{detail::baseline_encoder<B>(c, 3), detail::baseline_decoder<B>(c, 3)};
      },
      [](auto const& model, auto const& x) { return model.loss(x); }));
  visit(module_case(
      "BetaVae, loss", {{2, 5, 6, 1}},
      []<class B>(typename B::Context& c) {
        return model::BetaVae<B>{
            detail::baseline_encoder<B>(c, 6), detail::baseline_decoder<B>(c, 3), {.beta = 2.5}};
      },
      [](auto const& model, auto const& x) { return model.loss(x, {.seed = 5, .stream = 2}).total; }));
  visit(module_case(
      "Classifier, loss", {{3, 5, 6, 1}},
      []<class B>(typename B::Context& c) {
        return model::Classifier<B>{c, detail::baseline_encoder<B>(c, 4), {.classes = {3, 2}}};
      },
      [](auto const& model, auto const& x) { return model.loss(x, std::array{2, 0, 0, 1, 1, 1}); }));
  visit(op_case("loss::GaussianKl", {{4, 3}, {4, 3}}, [](auto const& mean, auto const& log_variance) {
    return loss::GaussianKl{}(mean, log_variance);
  }));
  visit(op_case("loss::MeanSquaredError", {{3, 2, 4, 2}, {3, 2, 4, 2}},
                [](auto const& prediction, auto const& target) {
                  return loss::MeanSquaredError{}(prediction, target);
                }));
}

}  // namespace diffsiam::testing::cases
