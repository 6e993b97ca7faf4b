// The umbrella: everything that names no backend and reads no files. Beside it include a backend, such as
// <diffsiam/backend/cpu.hpp>, and what you need of data/, io/, train/, eval/ and testing/.
#pragma once

// From the ground up: what the compiler says of a header begins with the list of those that included it, so
// that a short way there leaves room for its sentence.
// clang-format off
#include <diffsiam/config.hpp>                      // version
#include <diffsiam/core/error.hpp>                  // Error and its family
#include <diffsiam/core/philox.hpp>                 // Rng
#include <diffsiam/core/shape.hpp>                  // Shape, Index
#include <diffsiam/tensor/prepacked_weights.hpp>    // keep_prepacked_weights
#include <diffsiam/ops/activation.hpp>              // silu, relu, exp, log, sqrt, abs
#include <diffsiam/ops/arithmetic.hpp>              // + - * / of values and numbers
#include <diffsiam/ops/concat.hpp>                  // concat, slice
#include <diffsiam/ops/cross_entropy.hpp>           // softmax_cross_entropy
#include <diffsiam/ops/diagonal.hpp>                // diagonal
#include <diffsiam/ops/matmul.hpp>                  // matmul
#include <diffsiam/ops/normalize.hpp>               // normalize
#include <diffsiam/ops/pool.hpp>                    // global_average_pool
#include <diffsiam/ops/power.hpp>                   // pow
#include <diffsiam/ops/reduce.hpp>                  // sum, mean
#include <diffsiam/ops/reshape.hpp>                 // reshape, flatten
#include <diffsiam/ops/samples.hpp>                 // samples
#include <diffsiam/ops/scale_samples.hpp>           // scale_samples
#include <diffsiam/ops/select.hpp>                  // select
#include <diffsiam/ops/transpose.hpp>               // transpose
#include <diffsiam/value/taped.hpp>                 // Tape, Taped, detach
#include <diffsiam/value/to_string.hpp>             // to_string
#include <diffsiam/value/traced.hpp>                // Traced, estimate
#include <diffsiam/nn/module.hpp>                   // parameters, freeze
#include <diffsiam/nn/sequential.hpp>               // Sequential
#include <diffsiam/nn/summary.hpp>                  // summary
#include <diffsiam/unet/shift_decoder.hpp>          // ShiftDecoder
#include <diffsiam/unet/unet.hpp>                   // UNet
#include <diffsiam/encoder/modular_encoder.hpp>     // ModularEncoder and its heads
#include <diffsiam/encoder/resnet.hpp>              // ResNet10
#include <diffsiam/encoder/reveal.hpp>              // reveal
#include <diffsiam/encoder/siamese_heads.hpp>       // SimSiamHeads, SimClrHead
#include <diffsiam/encoder/timestep_partition.hpp>  // TimestepPartition, GradientMode
#include <diffsiam/diffusion/attribute_loss.hpp>    // err, lost_at
#include <diffsiam/diffusion/ddim.hpp>              // ddim_sample, ddim_encode
#include <diffsiam/diffusion/ddpm.hpp>              // ddpm_sample
#include <diffsiam/diffusion/noise_schedule.hpp>    // NoiseSchedule
#include <diffsiam/diffusion/noising.hpp>           // add_noise, Noised
#include <diffsiam/diffusion/time_grid.hpp>         // TimeGrid
#include <diffsiam/loss/denoising.hpp>              // Denoising
#include <diffsiam/loss/diffusion_loss.hpp>         // Noise, ShiftedNoise
#include <diffsiam/loss/mean_squared_error.hpp>     // MeanSquaredError
#include <diffsiam/model/diffsiam.hpp>              // DiffSiam
#include <diffsiam/model/interpolate.hpp>           // interpolate
#include <diffsiam/model/latent_denoiser.hpp>       // LatentDenoiser
#include <diffsiam/model/siamese.hpp>               // SimSiamHalf, NtXentHalf, VicRegHalf
// clang-format on

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
using model::VicRegHalf;
using nn::freeze;
using nn::parameters;
using nn::summary;
using unet::ShiftDecoder;
using unet::UNet;

}  // namespace diffsiam
