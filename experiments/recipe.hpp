// What the methods of the table are: DiffSiam, and what remains of it when one part is taken away or changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/diffsiam.hpp>

#include <experiments/support/fashion_run.hpp>

namespace example {

enum class Siamese { none, simsiam, nt_xent };
enum class Widths { uniform, staged, suggested };

/// How an encoder is trained. The defaults are DiffSiam's; the other methods change one flag each.
struct Recipe {
  std::string method = "diffsiam";
  bool diffusion = true;
  Siamese siamese = Siamese::nt_xent;
  double siamese_weight = 0.2;     ///< w, beside the diffusion loss
  double temperature = 0.5;        ///< of NT-Xent
  std::uint64_t siamese_from = 0;  ///< step at which the siamese half joins
  ds::Index neighbours = 0;  ///< of a picture by the denoiser, one of which is its second view; 0: itself
  int subsets = 16;          ///< k; 1 is PDAE
  Widths widths = Widths::uniform;
  ds::encoder::GradientMode gradient_mode = ds::encoder::GradientMode::joint;

  /// Of the diffusion loss, see LossWeighting.
  double p2_k = 0.01;
  /// What a nat of z costs: z reaches the decoder with unit noise, and |z|^2/2 times this joins the loss; 0:
  /// none
  double price = 0;
  double beta = 4;  ///< of the beta-VAE

  ds::Index dims = 64;
  ds::Index encoder_width = 1;  ///< times the channels of the small backbone
  std::uint64_t steps = 1000;
  ds::Index batch = 96;           ///< pictures of the diffusion half
  ds::Index siamese_batch = 192;  ///< pictures of the siamese half, two views each
  double rate = 3e-3;

  /// The settings of a data set, chosen on its validation pictures.
  [[nodiscard]] static Recipe of_data(std::string_view data) {
    Recipe recipe;
    if (data == "shapes") {
      recipe.siamese_weight = 0.01;
      recipe.p2_k = 0;
      recipe.batch = 32;
      recipe.siamese_batch = 128;
      recipe.rate = 2e-3;
      recipe.steps = 800;
    }
    return recipe;
  }
  /// Everything but the partition; the suggested one is known after a pilot run only.
  [[nodiscard]] nlohmann::ordered_json json() const {
    return {{"method", method},
            {"diffusion", diffusion},
            {"siamese", static_cast<int>(siamese)},
            {"siamese_weight", siamese_weight},
            {"temperature", temperature},
            {"siamese_from", siamese_from},
            {"neighbours", neighbours},
            {"subsets", subsets},
            {"widths", static_cast<int>(widths)},
            {"gradient_mode", static_cast<int>(gradient_mode)},
            {"p2_k", p2_k},
            {"price", price},
            {"beta", beta},
            {"dims", dims},
            {"encoder_width", encoder_width},
            {"steps", steps},
            {"batch", batch},
            {"siamese_batch", siamese_batch},
            {"rate", rate}};
  }
};

/// Methods that train an encoder by a recipe, DiffSiam first.
[[nodiscard]] inline std::vector<std::string> recipe_names() {
  return {"diffsiam",
          "diffusion_only",
          "nt_xent",
          "simsiam",
          "pdae",
          "one_dim_subsets",
          "diffsiam_neighbours",
          "nt_xent_neighbours",
          "diffsiam_simsiam",
          "stop_preceding",
          "dual",
          "staged",
          "suggested",
          "priced"};
}

/// `base` with the flags that make it `method`. Throws ConfigError for a name that is none.
[[nodiscard]] inline Recipe recipe_of(std::string_view method, Recipe base) {
  using ds::encoder::GradientMode;
  base.method = method;
  if (method == "diffsiam") {
  } else if (method == "diffusion_only") {
    base.siamese = Siamese::none;
  } else if (method == "nt_xent" || method == "simsiam") {
    base.diffusion = false;
    if (method == "simsiam") base.siamese = Siamese::simsiam;
  } else if (method == "pdae") {
    base.siamese = Siamese::none;
    base.subsets = 1;
  } else if (method == "one_dim_subsets") {
    base.siamese = Siamese::none;
    base.subsets = static_cast<int>(base.dims);
  } else if (method == "diffsiam_neighbours" || method == "nt_xent_neighbours") {
    base.diffusion = method == "diffsiam_neighbours";
    if (base.neighbours == 0) base.neighbours = 5;
  } else if (method == "diffsiam_simsiam") {
    base.siamese = Siamese::simsiam;
  } else if (method == "stop_preceding") {
    base.gradient_mode = GradientMode::stop_preceding;
  } else if (method == "dual") {
    base.gradient_mode = GradientMode::dual;
  } else if (method == "priced") {
    base.siamese = Siamese::none;
    base.gradient_mode = GradientMode::stop_preceding;
    if (base.price == 0) base.price = 1e-7;
  } else if (method == "staged") {
    base.widths = Widths::staged;
  } else if (method == "suggested") {
    base.widths = Widths::suggested;
  } else {
    ds::fail<ds::ConfigError>("--method", "a method of the table", method, "--list names them");
  }
  if (base.diffusion && base.siamese_weight == 0) base.siamese = Siamese::none;
  return base;
}

}  // namespace example
