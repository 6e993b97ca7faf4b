// What steps of DiffSiam leave, on any backend.
#pragma once

#include <vector>

#include <diffsiam/diffsiam.hpp>
#include <diffsiam/train/adam.hpp>

namespace diffsiam::test {

/// DiffSiam with both halves, for pictures of 16 x 16 in one channel.
template <class B>
struct CourseNet {
  using Backend = B;
  DiffSiam<B> model;
  SimSiamHalf<B> siamese;

  explicit CourseNet(typename B::Context& context) : model{made(context)}, siamese{context, {.dims = 16}} {}

  template <class F>
  void for_each_child(F&& f) const {
    f("model", model);
    f("siamese", siamese);
  }
  [[nodiscard]] Taped<B> loss(Tape<B>& tape, Tensor<B> const& images, Rng const& rng) const {
    auto const z = model.encode(tape.input(images));
    return model.diffusion_loss(z, add_noise(model.schedule(), images, rng)) + 0.01 * siamese(z);
  }

 private:
  [[nodiscard]] static DiffSiam<B> made(typename B::Context& context) {
    UNet<B> const denoiser{context,
                           {.in_channels = 1,
                            .base_channels = 16,
                            .multipliers = {1, 2},
                            .blocks_per_level = 1,
                            .attention_factors = {2},
                            .groups = 8}};
    auto const partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = 4, .dims = 16});
    return {
        ModularEncoder<B>{
            context,
            {.backbone =
                 {.in_channels = 1, .height = 16, .width = 16, .channels = {32, 32}, .attention_after = -1},
             .partition = partition}},
        ShiftDecoder<B>{context, denoiser, {.latent_dims = 16}}};
  }
};

/// The loss of each step, and all weights after the first.
struct Course {
  static constexpr int steps = 50;  ///< unless a test asks for fewer
  std::vector<double> losses, weights;
};

template <class B>
[[nodiscard]] Course train(unsigned steps = Course::steps) {
  typename B::Context context;
  CourseNet<B> const net{context};
  train::Adam<B> adam{nn::parameters(net), {.learning_rate = 1e-3}};
  Course course;
  for (unsigned step = 0; step < steps; ++step) {
    Tensor<B> const images = diffusion::normal<B>(context, {16, 16, 16, 1}, {.seed = 1, .step = step});
    Tape<B> tape{context};
    auto const loss = net.loss(tape, images, {.seed = 2, .step = step});
    course.losses.push_back(static_cast<double>(loss.value().item()));
    tape.backward(loss);
    adam.step();
    if (step > 0) continue;
    for (auto const& entry : adam.parameters().parameters)
      for (double const weight : entry.parameter.value().template values<double>())
        course.weights.push_back(weight);
  }
  return course;
}

}  // namespace diffsiam::test
