#include <tests/golden/cases/sampling.hpp>

namespace diffsiam::golden {

SampledOutput sampled_output_of(Settings const& s) {
  SampledOutput result;
  auto const op = s.get<std::string>("op");
  if (op != "sample" && op != "encode")
    fail<FileError>("golden", "sample or encode as 'op' in " + s.where(), "'" + op + "'");
  result.encode = op == "encode";
  result.grid = grid_of(s.get<std::string>("grid"));
  result.steps = s.get<int>("steps");
  result.clip = s.get_or("clip", true);
  result.start = s.get<std::string>("start");
  if (double const eta = s.get_or("eta", 0.0); eta != 0)
    fail<FileError>("golden", "eta = 0 in " + s.where(), std::to_string(eta), "its noise is not in the file");

  auto const weights = s.get<std::string>("weights");
  auto const colon = weights.rfind(':');
  if (colon == std::string::npos || weights.find('/') != std::string::npos)
    fail<FileError>("golden", "'file:prefix' in the same folder as 'weights' in " + s.where(),
                    "'" + weights + "'");
  result.weights_file = weights.substr(0, colon);
  result.weights_prefix = weights.substr(colon + 1);

  if (s.has("z")) {
    result.z = s.get<std::string>("z");
    result.partition = s.get_or("partition", false);
    auto const shift = s.get_or<std::string>("shift", "sqrt(1-abar)");
    if (shift != "sqrt(1-abar)" && shift != "c_t")
      fail<FileError>("golden", "sqrt(1-abar) or c_t as 'shift' in " + s.where(), "'" + shift + "'");
    result.guidance = {
        .coefficient = shift == "c_t" ? model::ShiftCoefficient::posterior : model::ShiftCoefficient::ddim,
        .scale = s.get_or("guidance_scale", 1.0),
        .unguided_last_steps = s.get_or("unguided_last_steps", 0)};
    if (result.encode && result.guidance.unguided_last_steps != 0)
      fail<FileError>("golden", "guidance on all of an encode in " + s.where(), "unguided_last_steps");
  }
  s.require_all_used();
  return result;
}

}  // namespace diffsiam::golden
