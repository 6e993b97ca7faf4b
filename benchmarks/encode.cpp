// How fast images become features: the encoder alone, nothing recorded. One JSON line.
//
//   build/bench/benchmarks/encode --config fashion --batch 64

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
  auto const encoder = make_encoder<B>(context, sizes);
  auto const images = ds::diffusion::normal<B>(context, sizes.images(batch), {.seed = 7});
  auto const predicted =
      ds::estimate([&](ds::backend::DryContext& dry) { (void)encoder(ds::Traced<B>{dry, images.shape()}); },
                   threads_of(context));
  [[maybe_unused]] auto const kept =
      ds::keep_prepacked_weights(context, ds::WeightPromise::stay);  // as an application does
  ds::Profile profile;
  auto const seconds = time_calls(options, [&] { (void)encoder(images); }, context, profile);
  print_notes(context);
  return record_of("encode", options, context, encoder, batch, predicted.flops, seconds, bytes_before,
                   profile);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(argc, argv, "How fast images become features. Prints one JSON line.",
                     []<class B>(Options const& options) { return measure<B>(options); });
}
