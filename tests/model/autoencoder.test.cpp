#include <cmath>

#include <tests/model/pictures.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/model/autoencoder.hpp>
#include <diffsiam/train/adam.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;

TEST_CASE("An autoencoder learns to repeat its pictures") {
  B::Context context{{.threads = 1}};
  model::Autoencoder<B> const model{picture_encoder<B>(context, 6), picture_decoder<B>(context, 6)};
  auto const x = Pictures{16, 1}.tensor<B>(context), fresh = Pictures{16, 2}.tensor<B>(context);
  train::Adam<B> adam{nn::parameters(model), {.learning_rate = 3e-3}};
  float const before = model.loss(x).item();
  for (int step = 0; step < 100; ++step) {
    Tape<B> tape{context};
    tape.backward(model.loss(tape.input(x)));
    adam.step();
  }
  CHECK(model.loss(x).item() < before / 5);
  CHECK(model.loss(fresh).item() < before / 5);
}

TEST_CASE("The loss of an autoencoder is the mean squared error of what it decodes") {
  B::Context context{{.threads = 1}};
  model::Autoencoder<B> const model{picture_encoder<B>(context, 6), picture_decoder<B>(context, 6)};
  auto const x = Pictures{4, 1}.tensor<B>(context);
  CHECK(model.encode(x).shape() == Shape{4, 6});
  auto const decoded = model.decode(model.encode(x));
  CHECK(decoded.shape() == x.shape());
  CHECK(model.reconstruct(x).values() == decoded.values());
  auto const actual = x.values<double>(), repeated = decoded.values<double>();
  double sum = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) sum += std::pow(actual[i] - repeated[i], 2);
  CHECK(static_cast<double>(model.loss(x).item()) == Approx(sum / static_cast<double>(actual.size())));
}

TEST_CASE("An autoencoder refuses a decoder of another width, and pictures of another size") {
  B::Context context{{.threads = 1}};
  auto const encoder = picture_encoder<B>(context, 6);
  CHECK_THROWS_WITH((model::Autoencoder<B>{encoder, picture_decoder<B>(context, 5)}),
                    contains("Autoencoder") && contains("5 dims") && contains("got 6 dims"));
  encoder::ConvDecoder<B> const small{
      context, {.channels = 1, .height = 7, .width = 8, .widths = {8}, .latent_dims = 6, .groups = 4}};
  auto const x = Pictures{4, 1}.tensor<B>(context);
  CHECK_THROWS_AS((model::Autoencoder<B>{encoder, small}.loss(x)), ShapeError);
}

}  // namespace diffsiam::test
