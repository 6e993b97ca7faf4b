// No path may forget the partition: each one changes when it changes, and none lets through what it hides.
#include <limits>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

using namespace diffsiam;

namespace {

using B = backend::Cpu<double>;
using Model = test::SmallModel<B>;

struct Inputs {
  Tensor<B> images, x_T, z;
  Noised<B> noised;
  TimeGrid grid = TimeGrid::linspace(Model::timesteps, 5);

  explicit Inputs(B::Context& context)
      : images(diffusion::normal<B>(context, {3, 8, 8, 1}, {.seed = 1})),
        x_T(diffusion::normal<B>(context, {3, 8, 8, 1}, {.seed = 2})),
        z(diffusion::normal<B>(context, {3, 8}, {.seed = 3})),
        noised(add_noise(Model::schedule(), images, Rng{.seed = 4})) {}
};

/// The values of every path that reads z, by name.
std::vector<std::pair<std::string, std::vector<double>>> all_paths(DiffSiam<B> const& model,
                                                                   Inputs const& in) {
  auto& context = in.images.context();
  std::vector<std::pair<std::string, std::vector<double>>> paths;
  {
    Tape<B> tape{context};
    auto const loss = model.diffusion_loss(model.encode(tape.input(in.images)), in.noised);
    paths.emplace_back("training", loss.value().values());
  }
  paths.emplace_back("held-out loss (report)", model.diffusion_loss(in.z, in.noised).values());
  paths.emplace_back("DDIM sample", model.sample(in.x_T, in.z, in.grid).values());
  paths.emplace_back("DDIM encode", model.infer_noise(in.images, in.z, in.grid).values());
  paths.emplace_back("ancestral sampling", model.sample_ancestral(in.x_T, in.z).values());
  paths.emplace_back("reconstruction from the inferred x_T", model.reconstruct(in.images, in.grid).values());
  paths.emplace_back("reconstruction from random x_T",
                     model.reconstruct_from_random(in.images, in.grid, {.seed = 5}).values());
  paths.emplace_back("preview", model.preview(in.noised.x_t, 4, in.z).values());
  return paths;
}

/// z with NaN in the columns that are hidden at each sample's time-step.
Tensor<B> poisoned(Tensor<B> const& z, Tensor<B> const& t, TimestepPartition const& partition) {
  auto values = z.values();
  auto const steps = t.values();
  for (std::size_t i = 0; i < steps.size(); ++i)
    for (int j = partition.revealed(static_cast<int>(steps[i])).end; j < partition.dims(); ++j)
      values[i * static_cast<std::size_t>(partition.dims()) + static_cast<std::size_t>(j)] =
          std::numeric_limits<double>::quiet_NaN();
  return Tensor<B>::from(z.context(), z.shape(), std::span<double const>{values});
}

}  // namespace

TEST_CASE("Every path changes when the partition changes", "[partition]") {
  B::Context context{{.threads = 1}};
  Inputs const in{context};
  Model const uniform{context};
  // The same weights, since a linear head does not depend on how its outputs are cut.
  Model const staged{
      context,
      TimestepPartition::staged({.timesteps = Model::timesteps, .subsets = 4, .dims = 8}, {{6, 2}, {12, 6}})};
  auto const before = all_paths(uniform.model, in);
  auto const again = all_paths(uniform.model, in);
  auto const after = all_paths(staged.model, in);
  for (std::size_t i = 0; i < before.size(); ++i) {
    INFO(before[i].first);
    CHECK(before[i].second == again[i].second);
    CHECK(before[i].second != after[i].second);
  }
}

TEST_CASE("Nothing of the hidden columns reaches the training loss or a gradient, not even NaN",
          "[partition]") {
  B::Context context{{.threads = 1}};
  Inputs const in{context};
  auto const mode = GENERATE(GradientMode::joint, GradientMode::stop_preceding, GradientMode::dual);
  Model const small{context, Model::four_subsets(), true, mode};
  auto const t = Tensor<B>::from(context, {3}, std::span<double const>{std::vector<double>{1, 5, 10}});
  Noised<B> const noised{add_noise(Model::schedule(), in.images, t, in.noised.noise), t, in.noised.noise};

  auto const run = [&](Tensor<B> const& z) {
    Tape<B> tape{context};
    auto const variable = tape.variable(z);
    auto const loss = small.model.diffusion_loss(variable, noised);
    tape.backward(loss);
    auto values = variable.gradient().values();
    values.push_back(loss.value().item());
    return values;
  };
  auto const clean = run(in.z);
  CHECK(run(poisoned(in.z, t, small.model.partition())) == clean);
  // The newest subset of each sample does reach it.
  for (std::size_t i = 0; i < 3; ++i) {
    auto const newest = small.model.partition().newest(static_cast<int>(t.values()[i]));
    CHECK(clean[i * 8 + static_cast<std::size_t>(newest.begin)] != 0);
  }
}

TEST_CASE("Nothing of the hidden columns reaches a sampler's step, not even NaN", "[partition]") {
  B::Context context{{.threads = 1}};
  Inputs const in{context};
  Model const small{context};
  DiffSiam<B> const& model = small.model;
  auto const predict = [&](Tensor<B> const& x, Tensor<B> const& t, diffusion::SamplerStep step) {
    return model.guided(poisoned(in.z, t, model.partition()))(x, t, step);
  };
  CHECK(ddim_sample<B>(model.schedule(), in.grid, in.x_T, predict).values() ==
        model.sample(in.x_T, in.z, in.grid).values());
  CHECK(ddim_encode<B>(model.schedule(), in.grid, in.images, predict).values() ==
        model.infer_noise(in.images, in.z, in.grid).values());

  auto const t = Tensor<B>::filled(context, {3}, 4);
  CHECK(model.preview(in.noised.x_t, 4, poisoned(in.z, t, model.partition())).values() ==
        model.preview(in.noised.x_t, 4, in.z).values());
}

TEST_CASE("A partition with all of z in one subset hides nothing", "[partition]") {
  B::Context context{{.threads = 1}};
  Inputs const in{context};
  Model const one{context,
                  TimestepPartition::uniform({.timesteps = Model::timesteps, .subsets = 1, .dims = 8})};
  auto const unmasked = [&](Tensor<B> const& x, Tensor<B> const& t, diffusion::SamplerStep step) {
    auto const [eps, gradient] = one.decoder(x, t, in.z);
    return ops::linear_combination(
        1, eps, one.model.schedule().ddim_shift_coef()[static_cast<std::size_t>(step.t)], gradient);
  };
  CHECK(ddim_sample<B>(one.model.schedule(), in.grid, in.x_T, unmasked).values() ==
        one.model.sample(in.x_T, in.z, in.grid).values());
}

TEST_CASE("Guidance that is off for the last steps is really not used", "[partition]") {
  B::Context context{{.threads = 1}};
  Inputs const in{context};
  Model const small{context};
  auto const nan = Tensor<B>::filled(context, {3, 8}, std::numeric_limits<double>::quiet_NaN());
  auto const without = small.model.sample(in.x_T, nan, in.grid, {}, {.unguided_last_steps = 5}).values();
  diffusion::PlainNoise const plain{small.denoiser, small.model.schedule()};
  CHECK(without == ddim_sample<B>(small.model.schedule(), in.grid, in.x_T, plain).values());
}
