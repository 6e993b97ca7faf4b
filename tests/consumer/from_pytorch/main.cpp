// Reads a denoiser that PyTorch has trained, compares it with what PyTorch computed, and writes it as a
// model.
//
//   consumer WEIGHTS EXAMPLE MODEL
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/io/published_unet.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

int main(int argc, char** argv) try {
  if (argc != 4) throw ds::Error("expected WEIGHTS EXAMPLE MODEL");
  B::Context context;
  // What names and shapes do not tell, from the configuration of the training: groups and heads, and the
  // class.
  auto const [denoiser, found, misfits] =
      ds::io::load_published_unet<B>(context, argv[1], {.groups = 2, .heads = 2, .label = 1});
  for (auto const& note : found.notes) std::printf("%s\n", note.c_str());

  // PyTorch has pictures as (n, c, h, w), this library as (n, h, w, c).
  auto const example = ds::io::SafetensorsFile::read(argv[2]);
  auto const& extents = example.shape("example.x");
  ds::Shape const shape{extents[0], extents[2], extents[3], extents[1]};
  ds::PublishedLayout const pictures{.kind = ds::PublishedLayout::Kind::conv};
  auto const x = ds::io::from_published(pictures, shape, example.values<float>("example.x"));
  auto const t = example.values<float>("example.t");
  auto const eps =
      denoiser(ds::Tensor<B>::from(context, shape, x), ds::Tensor<B>::from(context, {extents[0]}, t));

  auto const ours = ds::io::to_published(pictures, shape, eps.values());
  auto const theirs = example.values<float>("example.eps");
  float difference = 0;
  for (std::size_t i = 0; i < ours.size(); ++i)
    difference = std::max(difference, std::abs(ours[i] - theirs[i]));
  std::printf("largest difference from PyTorch: %.1e\n", static_cast<double>(difference));
  if (!(difference < 1e-4F)) return 1;

  ds::save(argv[3], denoiser);  // from now on: ds::load<ds::UNet<B>>(context, MODEL)
} catch (ds::Error const& error) {
  std::fprintf(stderr, "from_pytorch: %s\n", error.what());
  return 1;
}
