// Cases of one network: the denoiser with its loss, and the latent denoiser.
#pragma once

#include <string>

#include <tests/golden/compare.hpp>
#include <tests/golden/settings.hpp>

#include <diffsiam/diffusion/weighting.hpp>
#include <diffsiam/loss/diffusion_loss.hpp>
#include <diffsiam/model/latent_denoiser.hpp>
#include <diffsiam/unet/unet.hpp>

namespace diffsiam::golden {

template <class B>
void check_unet(typename B::Context& context, File const& file, Report& report) {
  Settings const settings(file.json("loss"), "loss");
  std::string const weight = settings.get<std::string>("weight");
  if (auto const reduction = settings.get_or<std::string>("reduction", "mean"); reduction != "mean")
    fail<FileError>("golden", "a mean as the reduction of a loss", "'" + reduction + "'");
  settings.require_all_used();
  // A constant weight needs no schedule, and the file then has none.
  if (!file.has("schedule") && weight != "1")
    fail<FileError>("golden", "a schedule for the weight '" + weight + "'", "none in '" + file.name() + "'");
  auto const schedule =
      file.has("schedule") ? schedule_of(file.json("schedule")) : diffusion::NoiseSchedule::linear();
  loss::Noise const loss{schedule, weight_of(weight)};

  unet::UNet<B> const denoiser{context, unet_config_of(file)};
  file.load(denoiser, "param.");
  Tape<B> tape{context, {.mode = Mode::evaluation}};
  diffusion::Noised<B> const noised{file.tensor<B>(context, "input.x_t"), file.tensor<B>(context, "input.t"),
                                    file.tensor<B>(context, "input.noise")};
  auto const eps = denoiser(tape.input(noised.x_t), noised.t);
  compare_output(file, report, "output.eps", eps.value());
  auto const value = loss(eps, noised);
  report.loss("output.loss", static_cast<double>(value.value().item()), file.values("output.loss").at(0));
  tape.backward(value);
  report.gradients(probed_gradients(file, nn::parameters(denoiser), "gradprobe."));
}

template <class B>
void check_latent_denoiser(typename B::Context& context, File const& file, Report& report) {
  file.expect("norm", "LayerNorm");
  using Denoiser = model::LatentDenoiser<B>;
  auto const time = file.shape("param.time_embed.0.weight");
  require_rank("golden", 2, time, "(time_width, time_dims)");
  Denoiser const denoiser{context,
                          typename Denoiser::Config{.dims = file.integer("input_channel"),
                                                    .hidden = file.integer("model_channel"),
                                                    .layers = file.integer("num_layers"),
                                                    .time_dims = file.integer_or("time_emb_channel", time[1]),
                                                    .time_width = time[0]}};
  Tensor<B> const t = file.tensor<B>(context, "input.t");
  compare_module<B>(
      context, file, report, denoiser, [&](auto const& z_t) { return denoiser(z_t, t); }, std::string("z_t"));
}

}  // namespace diffsiam::golden
