// How fast images are sampled: DDIM over a grid of a few time-steps, from the denoiser alone or with
// features. One JSON line; a FLOP is counted once for every evaluation of the grid.
//
//   build/bench/benchmarks/ddim_sample --config fashion --what diffsiam --grid 10

#include "support/backends.hpp"
#include "support/measure.hpp"
#include "support/models.hpp"

namespace {

using namespace bench;

template <class B>
Json measure(Options const& options) {
  std::size_t const bytes_before = process_bytes("VmRSS");
  Sizes const sizes = sizes_of(options.config);
  Index const batch = options.batch > 0 ? options.batch : sizes.batch;
  auto context = experiments::make_context<B>(options.threads);
  ds::UNet<B> const denoiser{context, sizes.denoiser};
  auto const model = make_diffsiam(context, denoiser, sizes);
  auto const grid = ds::TimeGrid::linspace(1000, options.grid);
  auto const sample = [&]<class V>(ds::Tensor<V> const& x_T, ds::Tensor<V> const& z) {
    if (options.what == "diffsiam") return model.sample(x_T, z, grid);
    return ds::ddim_sample<V>(model.schedule(), grid, x_T,
                              ds::diffusion::PlainNoise{denoiser, model.schedule()});
  };
  auto const x_T = ds::diffusion::normal<B>(context, sizes.images(batch), {.seed = 7});
  auto const z = ds::diffusion::normal<B>(context, {batch, sizes.latent_dims}, {.seed = 8});
  auto const predicted = ds::estimate(
      [&](ds::backend::DryContext& dry) {
        (void)sample(ds::Traced<B>{dry, x_T.shape()}, ds::Traced<B>{dry, z.shape()});
      },
      threads_of(context));
  ds::Profile profile;
  auto const seconds = time_calls(options, [&] { (void)sample(x_T, z); }, context, profile);
  print_notes(context);
  return record_of("ddim_sample", options, context, model, batch, predicted.flops, seconds, bytes_before,
                   profile);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(argc, argv, "How fast images are sampled. Prints one JSON line.",
                     []<class B>(Options const& options) { return measure<B>(options); });
}
