// The siamese losses with their heads: SimSiam and NT-Xent on the latents of two views.
#pragma once

#include <string>
#include <vector>

#include <tests/golden/compare.hpp>

#include <diffsiam/model/siamese.hpp>

namespace diffsiam::golden {

/// "<prefix>.loss" of input.z12, its gradient and those of the heads.
template <class B, nn::Module Half>
void check_siamese_half(typename B::Context& context, File const& file, Report& report, Half const& half,
                        std::string const& prefix) {
  file.load(half, prefix + ".param.", {"num_batches_tracked", "running_"});
  Tape<B> tape{context, {.mode = Mode::training}};
  auto const z = tape.variable(file.tensor<B>(context, "input.z12"));
  auto const loss = half(z);
  report.loss(prefix + ".loss", static_cast<double>(loss.value().item()),
              file.values(prefix + ".loss").at(0));
  tape.backward(loss);
  auto gradients = known_gradients(file, nn::parameters(half), prefix + ".grad.");
  std::string const input = prefix + ".grad_input.z12";
  gradients.push_back({input, published_values(z.gradient()), file.values(input)});
  report.gradients(gradients);
}

/// The widths of a perceptron: "projector": [in, ..., out].
[[nodiscard]] inline std::vector<Index> widths_of(Settings const& settings, std::string const& key,
                                                  std::size_t count) {
  auto const widths = settings.get<std::vector<Index>>(key);
  if (widths.size() != count)
    fail<FileError>("golden", std::to_string(count - 1) + " layers as '" + key + "' in " + settings.where(),
                    std::to_string(widths.size()) + " widths");
  return widths;
}

template <class B>
void check_siamese_losses(typename B::Context& context, File const& file, Report& report) {
  file.expect("views", "z12 = view 1 (first half of the batch), then view 2");
  file.expect("batch_norm", "training mode, statistics of each view on its own");
  if (file.has("simsiam")) {
    Settings const settings(file.json("simsiam"), "simsiam");
    auto const projector = widths_of(settings, "projector", 4);
    auto const predictor = widths_of(settings, "predictor", 3);
    settings.require_all_used();
    if (projector[1] != projector[2] || predictor[0] != projector[3] || predictor[2] != projector[3])
      fail<FileError>("golden", "a projector d-h-h-o and a predictor o-p-o", file.text("simsiam"));
    model::SimSiamHalf<B> const half{context,
                                     {.dims = projector[0],
                                      .hidden_dims = projector[1],
                                      .out_dims = projector[3],
                                      .predictor_dims = predictor[1]}};
    check_siamese_half<B>(context, file, report, half, "simsiam");
  }
  if (file.has("simclr")) {
    Settings const settings(file.json("simclr"), "simclr");
    auto const projector = widths_of(settings, "projector", 3);
    model::NtXentHalf<B> const half{
        context,
        {.head = {.dims = projector[0], .hidden = projector[1], .out = projector[2]},
         .temperature = settings.get_or("temperature", 0.5)}};
    settings.require_all_used();
    check_siamese_half<B>(context, file, report, half, "simclr");
  }
}

}  // namespace diffsiam::golden
