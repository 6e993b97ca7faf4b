// Which case is which. Instantiated once a backend and scalar.
#pragma once

#include <string>

#include <tests/golden/cases/blocks.hpp>
#include <tests/golden/cases/diti_step.hpp>
#include <tests/golden/cases/networks.hpp>
#include <tests/golden/cases/sampling.hpp>
#include <tests/golden/cases/siamese.hpp>
#include <tests/golden/cases/tables.hpp>
#include <tests/golden/run.hpp>

namespace diffsiam::golden {

template <class B>
void check_case(File const& file, Report& report) {
  typename B::Context context;
  std::string const& name = file.text("case");
  if (name == "schedule") return check_schedule(file, report);
  if (name == "timestep_embedding") return check_timestep_embedding<B>(context, file, report);
  if (name == "attention_block") return check_attention_block<B>(context, file, report);
  if (name == "unet") return check_unet<B>(context, file, report);
  if (name == "diti_step") return check_diti_step<B>(context, file, report);
  if (name == "sampling") return check_sampling<B>(context, file, report);
  if (name == "siamese_losses") return check_siamese_losses<B>(context, file, report);
  if (name == "latent_denoiser") return check_latent_denoiser<B>(context, file, report);
  if (!check_if_res_block<B>(context, file, report, name))
    fail<FileError>("golden", "a known case in '" + file.name() + "'", "'" + name + "'");
}

}  // namespace diffsiam::golden
