// From noise to an edited picture, step by step: docs/tour.md explains each part and shows the picture.
//
//   cmake --build build/demo --target tour                 (scripts/demo makes build/demo)
//   build/demo/examples/tour experiments/weights/fashion_denoiser.safetensors
// ctest: @SOURCE@/experiments/weights/fashion_denoiser.safetensors --steps 2 --out @OUT@
#include <iostream>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/version.hpp>
#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/data/to_tensor.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/io/png.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/model/interpolate.hpp>
#include <diffsiam/train/adam.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;

int main(int argc, char** argv) try {
  std::filesystem::path weights, out = "runs/tour";
  unsigned steps = 300;
  CLI::App app{"Goes from noise to an edited picture of Fashion-MNIST.", "tour"};
  app.set_version_flag("--version", "tour " + ds::version());
  app.add_option("denoiser", weights, "weights that train_denoiser has left")->required();
  app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber);
  app.add_option("--out", out, "folder of tour.png");
  CLI11_PARSE(app, argc, argv);
  B::Context context;
  auto const [train, test] = ds::data::load_fashion_mnist();
  std::vector<ds::io::Picture> drawn;  // rows of six
  auto const draw = [&](ds::Tensor<B> const& pictures) {
    for (auto& picture : ds::io::pictures_from_unit(pictures)) drawn.push_back(std::move(picture));
  };
  //! [noise]
  auto const schedule = ds::NoiseSchedule::linear();
  auto const shoe = ds::data::to_tensor<B>(context, test.slice(0, 1));  // (1, 28, 28, 1)
  auto const noise = ds::diffusion::normal<B>(context, shoe.shape(), {.seed = 1});
  for (int const t : {0, 100, 200, 300, 500, 999})
    draw(ds::add_noise(schedule, shoe, ds::diffusion::same_timestep<B>(context, 1, t), noise));
  //! [noise]
  //! [denoiser]
  ds::UNet<B> const denoiser{context, ds::unet::Config::for_small()};
  ds::io::load_weights(weights, denoiser);
  auto const grid = ds::TimeGrid::linspace(1000, 50);
  auto const x_T = ds::diffusion::normal<B>(context, {6, 28, 28, 1}, {.seed = 2});
  draw(ds::ddim_sample<B>(schedule, grid, x_T, ds::diffusion::PlainNoise{denoiser, schedule}));
  //! [denoiser]
  //! [model]
  constexpr auto partition = ds::TimestepPartition::uniform({.subsets = 16, .dims = 64});
  ds::ModularEncoder<B> const encoder{
      context, {.backbone = ds::encoder::ConvBackbone<B>::Config::for_small(), .partition = partition}};
  ds::DiffSiam<B> const model{encoder, ds::ShiftDecoder<B>{context, denoiser, {.latent_dims = 64}}};
  //! [model]
  //! [training]
  ds::train::Adam<B> adam{ds::parameters(model), {.learning_rate = 3e-3}};
  ds::data::Loader loader{train, {.batch_size = 64}};
  for (unsigned step = 0; step < steps; ++step) {
    auto const images = ds::Tensor<B>::from(context, {64, 28, 28, 1}, loader.next().images);
    ds::Tape<B> tape{context};
    auto const noised = ds::add_noise(schedule, images, {.seed = 3, .step = step});
    tape.backward(model.diffusion_loss(model.encode(tape.input(images)), noised));
    adam.step();
  }
  //! [training]
  //! [reconstruction]
  auto const pictures = ds::data::to_tensor<B>(context, test.slice(0, 6));
  auto const z = model.encode(pictures);                         // (6, 64)
  auto const from_noise = model.infer_noise(pictures, z, grid);  // the x_T of each picture
  draw(pictures);
  draw(model.sample(from_noise, z, grid));
  //! [reconstruction]
  //! [edit]
  auto const others = model.encode(ds::data::to_tensor<B>(context, test.slice(6, 12)));
  std::vector<ds::model::SubsetRange> const subsets{{0, 4}, {4, 8}, {8, 16}};
  for (auto const& edited : ds::model::counterfactuals(model, ds::model::Origin<B>{from_noise, z},
                                                       {{}, others}, std::span{subsets}, grid))
    draw(edited);
  //! [edit]
  std::filesystem::create_directories(out);
  ds::io::write_png(out / "tour.png", ds::io::upscale(ds::io::grid(drawn, 6, 2), 2));
  std::cout << "see " << out / "tour.png" << '\n';
} catch (std::exception const& error) {
  std::cerr << "tour: " << error.what() << '\n';
  return 1;
}
