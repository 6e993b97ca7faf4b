// How fast a training step is, and how much memory it takes: noising, forward and backward pass, Adam. One
// JSON line.
//
//   build/bench/benchmarks/training_step --config fashion --what diffsiam --threads 2

#include <exception>

#include <diffsiam/train/adam.hpp>

#include "support/backends.hpp"
#include "support/measure.hpp"
#include "support/models.hpp"

namespace {

using namespace bench;

/// Forward and backward pass of one batch in the reading of its tensors.
template <class B, class V>
void pass(ds::UNet<B> const& denoiser, ds::NoiseSchedule const& schedule, ds::Tensor<V> const& images,
          std::uint64_t step) {
  auto const noised = ds::add_noise(schedule, images, ds::Rng{.seed = 1, .step = step});
  ds::Tape<V> tape{images.context()};
  tape.backward(ds::loss::Noise{schedule}(denoiser(tape.input(noised.x_t), noised.t), noised));
}
template <class B, class V>
void pass(ds::DiffSiam<B> const& model, ds::NoiseSchedule const& schedule, ds::Tensor<V> const& images,
          std::uint64_t step) {
  auto const noised = ds::add_noise(schedule, images, ds::Rng{.seed = 1, .step = step});
  ds::Tape<V> tape{images.context()};
  tape.backward(model.diffusion_loss(model.encode(tape.input(images)), noised));
}

template <class B, class Model>
Json measure(typename B::Context& context, Model const& model, Options const& options, Sizes const& sizes,
             std::size_t bytes_before) {
  auto const schedule = ds::NoiseSchedule::linear();
  Index const batch = options.batch > 0 ? options.batch : sizes.batch;
  ds::train::Adam<B> adam{ds::parameters(model)};
  auto const images = ds::diffusion::normal<B>(context, sizes.images(batch), {.seed = 7});
  auto const held_before = context.memory().live_bytes();
  auto const predicted = ds::estimate(
      [&](ds::backend::DryContext& dry) { pass<B>(model, schedule, ds::Traced<B>{dry, images.shape()}, 0); },
      context.threads().threads());

  std::uint64_t step = 0;
  ds::Profile profile;
  auto const seconds = time_calls(options.warm_up, options.steps, [&] {
    if (options.profile && step == static_cast<std::uint64_t>(options.warm_up)) context.set_profile(&profile);
    pass<B>(model, schedule, images, step++);
    ds::ProfileScope const timed{context.profile(), "adam", ds::Profile::Direction::forward};
    adam.step();
  });
  double const typical = median(seconds);
  auto const summary = [&] {
    Index all = 0, trainable = 0;
    ds::nn::for_each_leaf_of<B>(model, [&](ds::nn::ChildName const&, auto const& leaf) {
      if constexpr (requires { leaf.trainable(); }) {
        all += leaf.shape().size();
        trainable += leaf.trainable() ? leaf.shape().size() : 0;
      }
    });
    return std::pair{all, trainable};
  }();
  // Gradients live outside the step that the dry run sees.
  std::size_t const gradients = static_cast<std::size_t>(summary.second) * sizeof(typename B::Scalar);
  Json record{{"program", "training_step"},
              {"config", options.config},
              {"what", options.what},
              {"backend", options.backend},
              {"precision", options.precision},
              {"threads", context.threads().threads()},
              {"batch", batch},
              {"steps", seconds.size()},
              {"images_per_second", static_cast<double>(batch) / typical},
              {"flops_per_image", predicted.flops / static_cast<double>(batch)},
              {"gflops", predicted.flops / typical / 1e9},
              {"peak_bytes", process_bytes("VmHWM") - bytes_before},
              {"pool_peak_bytes", context.memory().peak_bytes()},
              {"predicted_bytes", held_before + gradients + predicted.peak_bytes},
              {"trainable", summary.second},
              {"parameters", summary.first}};
  if (options.profile) record["profile"] = profile_json(profile, seconds.size());
  return record;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"How fast a training step is. Prints one JSON line."};
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    with_backend(options, [&]<class B>() {
      std::size_t const bytes_before = process_bytes("VmRSS");
      Sizes const sizes = sizes_of(options.config);
      typename B::Context context{{.threads = options.threads}};
      ds::UNet<B> const denoiser{context, sizes.denoiser};
      print_line(options.what == "denoiser" ? measure<B>(context, denoiser, options, sizes, bytes_before)
                                            : measure<B>(context, make_diffsiam(context, denoiser, sizes),
                                                         options, sizes, bytes_before));
    });
    return 0;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "training_step: %s\n", error.what());
    return 1;
  }
}
