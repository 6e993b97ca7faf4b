// Autoencoder: z = encoder(x), x^ = decoder(z), loss = mean over n, h, w, c of (x^ - x)^2. A baseline that
// shows what a bottleneck alone learns: no noise, no prior.
#pragma once

#include <utility>

#include <diffsiam/core/text.hpp>
#include <diffsiam/encoder/conv_decoder.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/loss/mean_squared_error.hpp>

namespace diffsiam::model {

/// Copies share their weights. Images are (n, h, w, c), latents z (n, dims).
template <class B, class Encoder = encoder::ModularEncoder<B>, class Decoder = encoder::ConvDecoder<B>>
class Autoencoder {
 public:
  using Backend = B;

  /// Throws ConfigError if encoder and decoder do not fit each other.
  Autoencoder(Encoder encoder, Decoder decoder) : encoder_(std::move(encoder)), decoder_(std::move(decoder)) {
    if (encoder_.latent_dims() != decoder_.latent_dims()) {
      fail<ConfigError>("Autoencoder",
                        {"an encoder of ", decoder_.latent_dims(), " dims, as the decoder reads"},
                        {encoder_.latent_dims(), " dims"});
    }
  }

  [[nodiscard]] Encoder const& encoder() const& { return encoder_; }
  [[nodiscard]] Encoder encoder() const&& { return encoder_; }
  [[nodiscard]] Decoder const& decoder() const& { return decoder_; }
  [[nodiscard]] Decoder decoder() const&& { return decoder_; }
  /// The width of z.
  [[nodiscard]] Index latent_dims() const { return decoder_.latent_dims(); }

  /// z of images, which may be plain, taped or traced.
  template <FlowingValue X>
  [[nodiscard]] auto encode(X const& x) const {
    return encoder_(x);
  }
  /// Images of z.
  template <FlowingValue Z>
  [[nodiscard]] auto decode(Z const& z) const {
    return decoder_(z);
  }
  /// decode(encode(x)), in the shape of x.
  template <FlowingValue X>
  [[nodiscard]] auto reconstruct(X const& x) const {
    return decode(encode(x));
  }
  /// The loss of images on a tape, so that the weights can be trained: rank 0.
  template <FlowingValue X>
  [[nodiscard]] auto loss(X const& x) const {
    return loss::MeanSquaredError{}(reconstruct(x), x);
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"encoder"}, encoder_);
    f(nn::ChildName{"decoder"}, decoder_);
  }

 private:
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace diffsiam::model
