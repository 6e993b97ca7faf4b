// The umbrella: everything that names no backend and reads no files. Beside it include a backend, such as
// <diffsiam/backend/cpu.hpp>, and what you need of data/, io/, train/, eval/ and testing/.
#pragma once

#include <diffsiam/config.hpp>                      // version
#include <diffsiam/core/error.hpp>                  // Error and its family
#include <diffsiam/core/philox.hpp>                 // Rng
#include <diffsiam/core/shape.hpp>                  // Shape, Index
#include <diffsiam/diffusion/attribute_loss.hpp>    // err, lost_at
#include <diffsiam/diffusion/ddim.hpp>              // ddim_sample, ddim_encode
#include <diffsiam/diffusion/ddpm.hpp>              // ddpm_sample
#include <diffsiam/diffusion/noise_schedule.hpp>    // NoiseSchedule
#include <diffsiam/diffusion/noising.hpp>           // add_noise, Noised
#include <diffsiam/diffusion/time_grid.hpp>         // TimeGrid
#include <diffsiam/encoder/modular_encoder.hpp>     // ModularEncoder and its heads
#include <diffsiam/encoder/reveal.hpp>              // reveal
#include <diffsiam/encoder/siamese_heads.hpp>       // SimSiamHeads, SimClrHead
#include <diffsiam/encoder/timestep_partition.hpp>  // TimestepPartition, GradientMode
#include <diffsiam/loss/denoising.hpp>              // Denoising
#include <diffsiam/loss/diffusion_loss.hpp>         // Noise, ShiftedNoise
#include <diffsiam/model/diffsiam.hpp>              // DiffSiam
#include <diffsiam/model/latent_denoiser.hpp>       // LatentDenoiser
#include <diffsiam/model/siamese.hpp>               // SimSiamHalf, NtXentHalf
#include <diffsiam/nn/sequential.hpp>               // Sequential
#include <diffsiam/nn/summary.hpp>                  // summary
#include <diffsiam/tensor/prepacked_weights.hpp>    // keep_prepacked_weights
#include <diffsiam/unet/shift_decoder.hpp>          // ShiftDecoder
#include <diffsiam/unet/unet.hpp>                   // UNet
#include <diffsiam/value/taped.hpp>                 // Tape, Taped, detach
#include <diffsiam/value/traced.hpp>                // Traced, estimate

/// The vocabulary: what a training program says most.
namespace diffsiam {

using diffusion::add_noise;
using diffusion::ddim_encode;
using diffusion::ddim_sample;
using diffusion::ddpm_sample;
using diffusion::Noised;
using diffusion::NoiseSchedule;
using diffusion::prediction_target;
using diffusion::PredictionTarget;
using diffusion::TimeGrid;
using encoder::GradientMode;
using encoder::ModularEncoder;
using encoder::reveal;
using encoder::TimestepPartition;
using model::DiffSiam;
using model::LatentDenoiser;
using model::NtXentHalf;
using model::SimSiamHalf;
using nn::freeze;
using nn::parameters;
using nn::summary;
using unet::ShiftDecoder;
using unet::UNet;

}  // namespace diffsiam
