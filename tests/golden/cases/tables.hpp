// Cases without a network: the tables of a schedule, and the sinusoids of time-steps.
#pragma once

#include <span>
#include <string>

#include <tests/golden/compare.hpp>
#include <tests/golden/settings.hpp>

#include <diffsiam/ops/time_embedding.hpp>

namespace diffsiam::golden {

/// Tables are built in double whatever the scalar, and judged so.
void check_schedule(File const& file, Report& report);

/// "output.<dims>" for each of the "dims", of time-steps "t".
template <class B>
void check_timestep_embedding(typename B::Context& context, File const& file, Report& report) {
  file.expect("order", "cos,sin");
  Tensor<B> const t = file.tensor<B>(context, "t");
  for (Index const dims : file.integers("dims")) {
    compare_output(file, report, "output." + std::to_string(dims),
                   evaluate(ops::TimeEmbedding{dims, file.number_or("max_period", 10000)}, t));
  }
}

}  // namespace diffsiam::golden
