// What the settings of a case say, as values of the library. Names that it does not know are FileErrors.
#pragma once

#include <functional>
#include <string>

#include <tests/golden/file.hpp>

#include <diffsiam/diffusion/noise_schedule.hpp>
#include <diffsiam/diffusion/time_grid.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>
#include <diffsiam/unet/config.hpp>

namespace diffsiam::golden {

/// A weighting chosen when the file is read.
using Weight = std::function<double(diffusion::NoiseSchedule const&, int)>;

/// {"kind": "linear", "timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02}. Kinds: linear, cosine,
/// sigmoid, scaled_linear, constant, betas.
[[nodiscard]] diffusion::NoiseSchedule schedule_of(Json const& json);
/// "1", "snr^0.1/(1+snr)", "min(snr,5)/snr" or "1/(1+snr)^1".
[[nodiscard]] Weight weight_of(std::string const& name);
[[nodiscard]] diffusion::GridKind grid_of(std::string const& name);
/// {"timesteps": 1000, "subsets": 4, "dims": 16, "widths": "uniform"}. Other widths: "published", a list of
/// one width a subset, or "staged" with "stages": [[end step, dims], ...].
[[nodiscard]] encoder::TimestepPartition partition_of(Json const& json);
/// "joint" (or "base"), "stop_preceding" (or "stop_grad"), "dual".
[[nodiscard]] encoder::GradientMode gradient_mode_of(std::string const& name);
/// Of the UNet that the file's metadata describes.
[[nodiscard]] unet::Config unet_config_of(File const& file);

}  // namespace diffsiam::golden
