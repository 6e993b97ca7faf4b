// The methods of the table: DiffSiam, what remains of it when one part is taken away or changed, and what it
// is compared with. An entry is all that a new one needs, where its features come from an encoder with a
// recipe.
#pragma once

#include <array>
#include <string_view>

#include <experiments/recipe.hpp>

namespace experiments {

/// Where a method's features come from.
enum class Source {
  encoder,
  denoiser,
  autoencoder,
  beta_vae,
  pca,
  patches,
  pixels,
  untrained_encoder,
  classifier
};

struct Method {
  std::string_view name;   ///< on the command line, and in results
  std::string_view title;  ///< on pages
  void (*change)(Recipe&) = [](Recipe&) {};
  Source source = Source::encoder;

  /// It has seen labels, and shows what can be reached.
  [[nodiscard]] constexpr bool ceiling() const { return source == Source::classifier; }
  /// More than the denoiser that all methods share.
  [[nodiscard]] constexpr bool trains() const {
    using enum Source;
    return source == encoder || source == autoencoder || source == beta_vae || source == classifier;
  }
};

namespace detail {

constexpr void without_siamese(Recipe& recipe) {
  recipe.siamese = Siamese::none;
}
constexpr void with_neighbours(Recipe& recipe) {
  if (recipe.neighbours == 0) recipe.neighbours = 5;
}

using Mode = ds::encoder::GradientMode;

/// The published width.
constexpr void wide(Recipe& recipe) {
  recipe.dims = 512;
  recipe.subsets = 64;
}

constexpr void turned(Recipe& recipe, Turn turn) {
  recipe.siamese = Siamese::none;
  recipe.turn = turn;
}

constexpr void trained_order(Recipe& recipe, Mode mode) {
  recipe.siamese = Siamese::none;
  recipe.feature_order = true;
  recipe.gradient_mode = mode;
  if (recipe.kl_weight == 0) recipe.kl_weight = 2e-4;
}

}  // namespace detail

/// Ours first, the ceiling last.
inline constexpr std::array<Method, 39> methods{{
    {"diffsiam", "DiffSiam"},
    {"diffsiam_neighbours", "DiffSiam, denoiser's neighbours", detail::with_neighbours},
    {"diffsiam_simsiam", "DiffSiam, SimSiam half", [](Recipe& r) { r.siamese = Siamese::simsiam; }},
    {"diffsiam_vicreg", "DiffSiam, VICReg half", [](Recipe& r) { r.siamese = Siamese::vicreg; }},
    {"stop_preceding", "DiffSiam, preceding subsets stopped",
     [](Recipe& r) { r.gradient_mode = detail::Mode::stop_preceding; }},
    {"kl_penalty", "diffusion half, preceding stopped, KL penalty on z",
     [](Recipe& r) {
       r.siamese = Siamese::none;
       r.gradient_mode = detail::Mode::stop_preceding;
       if (r.kl_weight == 0) r.kl_weight = 1e-7;
     }},
    {"dual", "DiffSiam, dual gradient", [](Recipe& r) { r.gradient_mode = detail::Mode::dual; }},
    {"staged", "DiffSiam, staged widths", [](Recipe& r) { r.widths = Widths::staged; }},
    {"suggested", "DiffSiam, suggested widths", [](Recipe& r) { r.widths = Widths::suggested; }},
    {"diffusion_only", "diffusion half only", detail::without_siamese},
    {"one_dim_subsets", "diffusion half, one dim a subset",
     [](Recipe& r) {
       r.siamese = Siamese::none;
       r.subsets = r.dims;
     }},
    {"pdae", "PDAE (one subset)",
     [](Recipe& r) {
       r.siamese = Siamese::none;
       r.subsets = 1;
     }},
    {"ordered", "PDAE turned fine first, decoder trained on",
     [](Recipe& r) { detail::turned(r, Turn::fine_first); }},
    {"ordered_widths", "the same, widths from lost steps",
     [](Recipe& r) {
       detail::turned(r, Turn::fine_first);
       r.widths = Widths::lost_steps;
     }},
    {"turned_by_variance", "control: PDAE's z, smallest variance first",
     [](Recipe& r) { detail::turned(r, Turn::smallest_variance_first); }},
    {"turned_at_random", "control: PDAE's z, turned at random",
     [](Recipe& r) { detail::turned(r, Turn::random); }},
    {"turned_coarse_first", "control: PDAE's z, turned coarse first",
     [](Recipe& r) { detail::turned(r, Turn::coarse_first); }},
    {"turned_untrained", "control: untrained encoder, turned fine first",
     [](Recipe& r) {
       detail::turned(r, Turn::fine_first);
       r.turns_untrained = true;
     }},
    {"feature_order", "order trained in PDAE's features, preceding stopped",
     [](Recipe& r) { detail::trained_order(r, detail::Mode::stop_preceding); }},
    {"feature_order_joint", "order trained in PDAE's features, joint",
     [](Recipe& r) { detail::trained_order(r, detail::Mode::joint); }},
    {"nt_xent", "NT-Xent only", [](Recipe& r) { r.diffusion = false; }},
    {"nt_xent_neighbours", "NT-Xent only, denoiser's neighbours",
     [](Recipe& r) {
       r.diffusion = false;
       detail::with_neighbours(r);
     }},
    {"simsiam", "SimSiam only",
     [](Recipe& r) {
       r.diffusion = false;
       r.siamese = Siamese::simsiam;
     }},
    {"vicreg", "VICReg only",
     [](Recipe& r) {
       r.diffusion = false;
       r.siamese = Siamese::vicreg;
     }},
    {"wide", "DiffSiam, denoiser's neighbours, 512 dims",
     [](Recipe& r) {
       detail::wide(r);
       detail::with_neighbours(r);
     }},
    {"wide_joined", "DiffSiam, denoiser's neighbours (256) and activations (256)",
     [](Recipe& r) {
       r.dims = 256;
       r.subsets = 64;
       r.activations = 256;
       detail::with_neighbours(r);
     }},
    {"wide_nt_xent", "NT-Xent only, denoiser's neighbours, 512 dims",
     [](Recipe& r) {
       detail::wide(r);
       r.diffusion = false;
       detail::with_neighbours(r);
     }},
    {.name = "denoiser_features", .title = "denoiser's activations", .source = Source::denoiser},
    {.name = "autoencoder", .title = "autoencoder", .source = Source::autoencoder},
    {.name = "beta_vae", .title = "beta-VAE", .source = Source::beta_vae},
    {.name = "pca", .title = "PCA", .source = Source::pca},
    {.name = "wide_denoiser_features",
     .title = "denoiser's activations, 512 dims",
     .change = detail::wide,
     .source = Source::denoiser},
    {.name = "wide_autoencoder",
     .title = "autoencoder, 512 dims",
     .change = detail::wide,
     .source = Source::autoencoder},
    {.name = "wide_pca", .title = "PCA, 512 dims", .change = detail::wide, .source = Source::pca},
    {.name = "wide_patches",
     .title = "k-means patches, 512 dims",
     .change = detail::wide,
     .source = Source::patches},
    {.name = "wide_random_encoder",
     .title = "untrained encoder, 512 dims",
     .change = detail::wide,
     .source = Source::untrained_encoder},
    {.name = "raw_pixels", .title = "raw pixels", .source = Source::pixels},
    {.name = "random_encoder", .title = "untrained encoder", .source = Source::untrained_encoder},
    {.name = "supervised", .title = "supervised (ceiling)", .source = Source::classifier},
}};

/// `base` with what makes it the method's.
[[nodiscard]] inline Recipe recipe_of(Method const& method, Recipe base) {
  method.change(base);
  base.views.jitter.contrast = base.views.jitter.brightness;  // one setting for both
  if (base.diffusion && base.siamese_weight == 0) base.siamese = Siamese::none;
  if (base.siamese == Siamese::none) base.neighbours = 0;  // there is no second view
  return base;
}

}  // namespace experiments
