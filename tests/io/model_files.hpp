// Models for tests of files: small ones, with every weight drawn, for those that start at zero hide mistakes.
#pragma once

#include <span>
#include <string>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/io/safetensors.hpp>
#include <diffsiam/testing/case.hpp>

namespace diffsiam::test {

using ModelBackend = backend::Reference<double>;

[[nodiscard]] inline Tensor<ModelBackend> drawn(ModelBackend::Context& context, Shape const& shape,
                                                std::uint32_t stream) {
  auto const values = testing::draw(testing::Kind::normal, shape, {.seed = 9, .stream = stream});
  return Tensor<ModelBackend>::from(context, shape, std::span<double const>(values));
}

/// Gives every weight a value that F16 holds exactly.
template <class M>
void draw_weights(M const& model) {
  std::uint32_t stream = 100;
  nn::for_each_leaf(model, [&](nn::LeafName const&, auto const& leaf) {
    auto values = drawn(leaf.value().context(), leaf.value().shape(), ++stream).values();
    for (double& value : values) value = std::round(value * 75) / 256;
    leaf.value().assign(std::span<double const>(values));
  });
}

[[nodiscard]] inline UNet<ModelBackend> small_denoiser(ModelBackend::Context& context,
                                                       unet::Config const& config = {.in_channels = 1,
                                                                                     .base_channels = 4,
                                                                                     .multipliers = {1, 2},
                                                                                     .blocks_per_level = 1,
                                                                                     .attention_factors = {2},
                                                                                     .heads = 2,
                                                                                     .groups = 2}) {
  UNet<ModelBackend> denoiser{context, config};
  draw_weights(denoiser);
  return denoiser;
}

/// The least that has a level below and attention.
inline unet::Config const smallest_denoiser{.in_channels = 1,
                                            .base_channels = 2,
                                            .multipliers = {1, 1},
                                            .blocks_per_level = 1,
                                            .attention_factors = {},
                                            .groups = 1};

/// Of 8 x 8 pictures, with z of 5 dims.
template <class Head = encoder::LinearHead<ModelBackend>>
[[nodiscard]] auto small_encoder(ModelBackend::Context& context) {
  constexpr int ends[] = {1, 4, 5};
  encoder::ModularEncoder<ModelBackend, encoder::ConvBackbone<ModelBackend>, Head> encoder{
      context,
      {.backbone = {.in_channels = 1,
                    .height = 8,
                    .width = 8,
                    .channels = {4, 8},
                    .attention_after = 1,
                    .heads = 2,
                    .groups = 2},
       .partition = TimestepPartition::from_ends(20, ends)}};
  draw_weights(encoder);
  return encoder;
}

template <class Encoder>
[[nodiscard]] auto small_diffsiam(ModelBackend::Context& context, Encoder const& encoder) {
  ShiftDecoder<ModelBackend> decoder{context, small_denoiser(context, smallest_denoiser), {.latent_dims = 5}};
  draw_weights(decoder);
  return model::DiffSiam<ModelBackend, Encoder>{
      encoder,
      decoder,
      {.schedule = NoiseSchedule::linear(20, 1e-3, 0.2), .gradient_mode = GradientMode::dual}};
}

/// The tensors of a file once more, for one change each: left out, renamed or added to.
struct ChangedFile {
  io::SafetensorsWriter writer;

  explicit ChangedFile(io::SafetensorsFile const& file, std::string const& prefix = "",
                       std::string const& left_out = "") {
    for (auto const& [key, value] : file.metadata()) writer.metadata(key, value);
    for (std::string const& name : file.names())
      if (name != left_out)
        writer.add(prefix + name, io::Dtype::F64, file.shape(name), file.values<double>(name));
  }
  [[nodiscard]] io::SafetensorsFile file() const {
    return io::SafetensorsFile::parse(writer.encode(), "changed.safetensors");
  }
};

}  // namespace diffsiam::test
