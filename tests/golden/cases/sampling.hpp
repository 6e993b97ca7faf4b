// DDIM both ways, with the denoiser alone or with the shift decoder and z.
#pragma once

#include <string>

#include <tests/golden/compare.hpp>
#include <tests/golden/settings.hpp>

#include <diffsiam/diffusion/ddim.hpp>
#include <diffsiam/model/guided_noise.hpp>
#include <diffsiam/unet/shift_decoder.hpp>

namespace diffsiam::golden {

/// What one sampled output asks for, besides its z.
struct SampledOutput {
  bool encode = false;
  diffusion::GridKind grid = diffusion::GridKind::linspace;
  int steps = 0;
  bool clip = true;
  std::string start;                         ///< a tensor of the file
  std::string weights_file, weights_prefix;  ///< beside the file
  std::string z;                             ///< a tensor of the file, or empty: without latent
  bool partition = false;                    ///< masks z
  model::Guidance guidance{};
};

/// Throws FileError for what it does not know.
[[nodiscard]] SampledOutput sampled_output_of(Settings const& settings);

template <class B>
class Sampling {
 public:
  Sampling(typename B::Context& context, File const& file, Report& report)
      : context_(&context), file_(&file), report_(&report), schedule_(schedule_of(file.json("schedule"))) {}

  void check() const {
    check_masks();
    Json const outputs = file_->json("outputs");
    for (auto const& [name, settings] : outputs.items()) {
      auto const asked = sampled_output_of(Settings{settings, "'" + name + "' of the outputs"});
      Tensor<B> const result = output(asked);
      require_shape(name, file_->shape(name), result.shape());
      report_->output(name, published_values(result), file_->values(name), report_->tolerances().sampled);
    }
  }

 private:
  void check_masks() const {
    if (!file_->contains("masks")) return;
    auto const partition = partition_of(file_->json("partition"));
    Values masks;
    for (int subset = 0; subset < partition.subsets(); ++subset)
      for (int dim = 0; dim < partition.dims(); ++dim) masks.push_back(dim < partition.end(subset) ? 1 : 0);
    report_->exact("masks", masks, file_->values("masks"));
  }

  [[nodiscard]] Tensor<B> output(SampledOutput const& asked) const {
    File const weights{file_->folder() / asked.weights_file};
    std::string const& prefix = asked.weights_prefix;
    unet::UNet<B> const denoiser{*context_, unet_config_of(weights)};
    std::string const latent_weight = prefix + "label_emb.weight";
    bool const shifted = weights.contains(latent_weight);
    if (!asked.z.empty() && !shifted)
      fail<FileError>("golden", "a shift decoder in '" + asked.weights_file + "'",
                      "no '" + latent_weight + "'", "a denoiser alone reads no z");
    if (!shifted) {
      weights.load(denoiser, prefix);
      return sampled(asked, diffusion::PlainNoise{denoiser, schedule_});
    }
    unet::ShiftDecoder<B> const decoder{
        *context_, denoiser, {.latent_dims = weights.shape(latent_weight).channels()}};
    weights.load(decoder, prefix);
    if (asked.z.empty()) return sampled(asked, diffusion::PlainNoise{denoiser, schedule_});
    auto const dims = static_cast<int>(decoder.latent_dims());
    // Without a partition there is one subset, always revealed.
    auto const partition = asked.partition
                               ? partition_of(file_->json("partition"))
                               : encoder::TimestepPartition::uniform(
                                     {.timesteps = schedule_.timesteps(), .subsets = 1, .dims = dims});
    return sampled(asked, model::GuidedNoise{decoder, schedule_, partition,
                                             file_->tensor<B>(*context_, asked.z), asked.guidance});
  }

  template <class P>
  [[nodiscard]] Tensor<B> sampled(SampledOutput const& asked, P const& predict) const {
    using namespace diffusion;
    auto const grid = TimeGrid::make(asked.grid, schedule_.timesteps(), asked.steps);
    Tensor<B> const start = file_->tensor<B>(*context_, asked.start);
    if (!asked.encode) return ddim_sample<B>(schedule_, grid, start, predict, {.clip = asked.clip});
    // As published: the last hop of a leading grid goes to abar = 0.
    auto const end = asked.grid == GridKind::linspace ? EncodeEnd::stay_on_grid : EncodeEnd::at_zero;
    return ddim_encode<B>(schedule_, grid, start, predict, {.clip = asked.clip}, end);
  }

  typename B::Context* context_;
  File const* file_;
  Report* report_;
  diffusion::NoiseSchedule schedule_;
};

template <class B>
void check_sampling(typename B::Context& context, File const& file, Report& report) {
  file.expect("layout", "NCHW");
  Sampling<B>{context, file, report}.check();
}

}  // namespace diffsiam::golden
