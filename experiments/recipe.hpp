// How an encoder is trained: numbers, which a data set and then the command line may set, and what makes a
// method.
#pragma once

#include <cstdint>

#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/augment_config.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>

namespace experiments {

namespace ds = diffsiam;

enum class Siamese { none, simsiam, nt_xent, vicreg };
enum class Widths { uniform, staged, suggested, lost_steps };
/// The basis of z that a trained PDAE gets before its decoder learns to read subsets of it; see turned.hpp.
enum class Turn { none, fine_first, coarse_first, random, smallest_variance_first };

/// The defaults are DiffSiam's, on Fashion-MNIST.
struct Recipe {
  std::uint64_t steps = 1000;
  ds::Index batch = 96;
  ds::Index siamese_batch = 192;
  std::uint64_t siamese_from = 0;
  double siamese_weight = 0.2;
  double rate = 3e-3;
  double temperature = 0.5;
  ds::Index neighbours = 0;
  ds::Index encoder_width = 1;
  double p2_k = 0.01;
  double kl_weight = 0;
  int dims = 64;  ///< d, the width of z
  int subsets = 16;
  ds::Index activations = 0;
  int average_flips = 0;  ///< 0 or 1
  double beta = 4;
  std::uint64_t decoder_steps = 400;
  double decoder_rate = 2e-3;
  ds::Index order_pictures = 3000;
  ds::data::AugmentConfig views{};  ///< of the siamese half

  // What makes a method, and is no setting.
  bool diffusion = true;
  Siamese siamese = Siamese::nt_xent;
  Widths widths = Widths::uniform;
  Turn turn = Turn::none;
  bool turns_untrained = false;  ///< the encoder that is turned is at its random start
  bool feature_order = false;    ///< a new encoder is trained for order; see feature_order.hpp
  ds::encoder::GradientMode gradient_mode = ds::encoder::GradientMode::joint;

  /// See settings.hpp.
  template <class Self, class F>
  static void for_each_setting(Self& self, F&& f) {
    f("steps", self.steps, 1, 1'000'000'000, "of training");
    f("batch", self.batch, 1, 4096, "pictures of the diffusion half");
    f("siamese_batch", self.siamese_batch, 2, 16384, "pictures of the siamese half, two views each");
    f("siamese_from", self.siamese_from, 0, 1'000'000'000, "step at which the siamese half joins");
    f("siamese_weight", self.siamese_weight, 0, 1e6, "w in L_diffusion + w L_siamese");
    f("rate", self.rate, 1e-9, 10, "learning rate");
    f("temperature", self.temperature, 1e-3, 1e3, "of NT-Xent");
    f("neighbours", self.neighbours, 0, 1000,
      "of a picture by the denoiser, one of which is its second view; 0: itself");
    f("encoder_width", self.encoder_width, 1, 16, "times the channels of the small backbone");
    f("p2_k", self.p2_k, 0, 1e6, "weights the diffusion loss by 1/(k + SNR); 0: SNR^0.1/(1 + SNR)");
    f("kl_weight", self.kl_weight, 0, 1e6,
      "of a nat of z, which then reaches the decoder with unit noise: |z|^2/2 times this joins the loss; 0: "
      "free");
    f("dims", self.dims, 1, 4096, "d, the width of z");
    f("subsets", self.subsets, 1, 4096, "k, the subsets of z; 1 is PDAE");
    f("activations", self.activations, 0, 4096,
      "principal components of the denoiser's activations that are joined to z; 0: z alone");
    f("average_flips", self.average_flips, 0, 1,
      "1: features are the mean of those of a picture and of its mirror image");
    f("beta", self.beta, 0, 1e6, "of the beta-VAE");
    f("decoder_steps", self.decoder_steps, 1, 1'000'000'000, "of training the decoder after z was turned");
    f("decoder_rate", self.decoder_rate, 1e-9, 10, "learning rate of these steps");
    f("order_pictures", self.order_pictures, 4, 1'000'000, "by which it is found where z is lost");
    f("least_area", self.views.crop.least_area, 0.01, 1, "of a view's crop");
    f("blur", self.views.blur.probability, 0, 1, "probability in a view");
    f("erase", self.views.erase.probability, 0, 1, "probability in a view");
    f("jitter", self.views.jitter.brightness, 0, 1, "of brightness and contrast");
    f("hue", self.views.jitter.hue, 0, 0.5,
      "share of the colour circle by which a jittered view's hues turn");
  }
};

}  // namespace experiments
