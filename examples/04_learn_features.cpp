// Learns features on top of a trained denoiser: the main job in short (scripts/demo runs train_diffsiam).
//
//   cmake --build build/demo --target learn_features       (scripts/demo makes build/demo)
//   build/demo/examples/learn_features runs/denoiser/denoiser.safetensors --out runs/features
// ctest: @SOURCE@/experiments/weights/fashion_denoiser.safetensors --pictures 300 --steps 2 --overwrite --out
// @OUT@
#include <iostream>

#include <CLI/CLI.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/version.hpp>
#include <diffsiam/data/fashion_mnist.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/eval/encode.hpp>
#include <diffsiam/eval/knn.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/train/averaged_adam.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/stage.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;
constexpr int dims = 64, subsets = 16, batch = 64;

int main(int argc, char** argv) try {
  std::string denoiser_file, out = "runs/features";
  std::uint64_t steps = 1300, pictures = 60000;
  ds::train::RunFolderConfig run{.stages = {"diffsiam"}, .others = {"model.safetensors"}};
  CLI::App app{"Learns features of Fashion-MNIST.", "learn_features"};
  app.add_option("denoiser", denoiser_file, "weights that train_denoiser has left")->required();
  app.set_version_flag("--version", "learn_features " + ds::version());
  app.add_option("--out", out, "folder of the run");
  app.add_option("--pictures", pictures, "use only the first ones")->check(CLI::Range(20, 60000));
  app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber);
  app.add_flag("--resume", run.resume, "goes on with the run in the folder");
  app.add_flag("--overwrite", run.overwrite, "begins anew where a run stands in the folder");
  CLI11_PARSE(app, argc, argv);
  ds::train::RunFolder const folder{
      out, {{"latent_dims", dims}, {"subsets", subsets}, {"pictures", pictures}, {"steps", steps}}, run};
  B::Context context;
  ds::UNet<B> const denoiser{context, ds::unet::Config::for_small()};
  ds::io::load_weights(denoiser_file, denoiser);
  auto const [all, test] = ds::data::load_fashion_mnist();
  auto const train = all.slice(0, static_cast<ds::Index>(pictures));
  auto const partition = ds::TimestepPartition::uniform({.subsets = subsets, .dims = dims});
  ds::ModularEncoder<B> const encoder{
      context, {.backbone = ds::encoder::ConvBackbone<B>::Config::for_small(), .partition = partition}};
  ds::DiffSiam<B> const model{encoder, ds::ShiftDecoder<B>{context, denoiser, {.latent_dims = dims}}};
  ds::NtXentHalf<B> const siamese{context, {}};  // beside it, on two views of each picture
  auto stage = ds::train::stage_of(folder, "diffsiam", steps);
  ds::train::AveragedAdam<B> adam{ds::parameters(model, siamese), {.learning_rate = 1e-3, .steps = steps}};
  ds::data::TwoViews const augment{ds::data::AugmentConfig::grey()};
  ds::data::Loader loader{train, {.batch_size = batch, .views = augment}};
  ds::train::Feed<B> images{context, train.shape().with_samples(batch)};
  ds::train::Feed<B> views{context, train.shape().with_samples(2 * batch)};
  stage.next_batch = [&] {
    auto const next = loader.next();
    images.put(next.images);
    views.put({next.views[0], next.views[1]});
  };
  stage.progress = &std::cout;
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    auto const noised = ds::add_noise(model.schedule(), images.tensor(), at.rng);  // x_t, t, noise
    auto const z = model.encode(tape.input(images.tensor()));                      // (64, dims)
    return model.diffusion_loss(z, noised) + 0.05 * siamese(model.encode(tape.input(views.tensor())));
  };
  folder.take();
  ds::train::Stage{stage}.run(adam.step, loader, loss, model, siamese);
  ds::save(folder / "model.safetensors", model);
  auto const z = ds::eval::encode_set(context, encoder, train);
  auto const unseen = ds::eval::encode_set(context, encoder, test);
  auto const found = ds::eval::knn(z.labelled(), unseen.labelled(), {.k = {20}});
  std::cout << "k-NN on test pictures: " << found.front().accuracy << '\n';
} catch (std::exception const& error) {
  std::cerr << "learn_features: " << error.what() << '\n';
  return 1;
}
