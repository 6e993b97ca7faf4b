// What docs/concepts/ shows of data sets, training, measures and files. A page takes what stands between two
// marks of its name.
#include <filesystem>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/data/loader.hpp>
#include <diffsiam/data/shapes.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/eval/knn.hpp>
#include <diffsiam/eval/linear_probe.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/train/averaged_adam.hpp>
#include <diffsiam/train/feed.hpp>
#include <diffsiam/train/stage.hpp>

namespace ds = diffsiam;
using B = ds::backend::Cpu<float>;
using diffsiam::test::contains;
using Small = diffsiam::test::SmallModel<B>;

namespace {

//! [own_source]
/// Pictures that are computed when they are read: a bright line, one row further down in each picture.
struct Lines {
  [[nodiscard]] ds::Index size() const { return 8; }
  [[nodiscard]] ds::data::ImageExtent extent() const { return {.height = 8, .width = 8, .channels = 1}; }
  void read(ds::Index i, std::span<std::uint8_t> out) const {
    for (std::size_t p = 0; p < out.size(); ++p) out[p] = p / 8 == static_cast<std::size_t>(i) ? 255 : 0;
  }
  [[nodiscard]] std::vector<int> labels() const { return {0, 0, 0, 0, 1, 1, 1, 1}; }  // optional
};
//! [own_source]

std::filesystem::path empty_folder(char const* name) {
  auto const folder = std::filesystem::temp_directory_path() / "diffsiam_site" / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace

TEST_CASE("the page on data sets shows what runs") {
  //! [dataset]
  ds::data::Dataset const all{Lines{}};                 // any PictureSource
  auto const [train, test] = all.split(6, /*seed*/ 0);  // drawn at random, the same ones each time
  ds::data::Loader loader{train, {.batch_size = 3, .flip = 0.5F}};
  for (auto const& batch : loader) {  // one epoch
    // batch.images: floats in [-1, 1], (3, 8, 8, 1); batch.labels
    REQUIRE(batch.shape == ds::Shape{3, 8, 8, 1});
  }
  //! [dataset]
  CHECK(test.size() == 2);
  CHECK(all.classes() == 2);
  //! [dataset_errors]
  CHECK_THROWS_WITH((ds::data::Loader{train, {.batch_size = 64, .drop_last = true}}),
                    contains("a batch size of at most 6, the pictures there are"));
  std::vector<std::uint8_t> const pixels(100);
  CHECK_THROWS_WITH(ds::data::Dataset::from(pixels, {2, 8, 8, 1}), contains("100 pixels for (2, 8, 8, 1)"));
  //! [dataset_errors]
}

TEST_CASE("the page on training shows what runs") {
  auto const root = empty_folder("stage");
  B::Context context;
  Small const small{context};
  auto const& model = small.model;
  ds::data::Dataset const pictures{Lines{}};
  //! [stage]
  ds::train::AveragedAdam<B> training{ds::parameters(model), {.learning_rate = 1e-3, .steps = 4}};
  ds::data::Loader loader{pictures, {.batch_size = 4}};
  ds::train::Feed<B> images{context, {4, 8, 8, 1}};
  auto const loss = [&](ds::Tape<B>& tape, ds::train::MicroBatch const& at) {
    auto const noised = ds::add_noise(model.schedule(), images.tensor(), at.rng);
    return model.diffusion_loss(model.encode(tape.input(images.tensor())), noised);
  };
  ds::train::StageConfig config{.name = "lines", .folder = root, .steps = 4, .resume = true};
  config.next_batch = [&] { images.put(loader.next().images); };
  ds::train::Stage const stage{config};
  stage.run(training.step, loader, loss, model);
  // root now holds lines.metrics.jsonl, lines.checkpoint.safetensors and lines.safetensors, the averaged
  // weights
  //! [stage]
  CHECK(std::filesystem::exists(stage.weights_path()));
  //! [stage_errors]
  config.steps = 8;
  config.settings = {{"learning_rate", 0.5}};  // not those of the checkpoint
  CHECK_THROWS_WITH(ds::train::Stage{config}.run(training.step, loader, loss, model),
                    contains("learning_rate"));
  ds::train::AveragedAdam<B> forgotten{ds::parameters(small.decoder), {.steps = 4}};  // without the encoder
  CHECK_THROWS_WITH(forgotten.step(loss),
                    contains("a loss whose trainable parameters all belong to the optimizer"));
  //! [stage_errors]
}

TEST_CASE("the page on measures shows what runs") {
  std::vector<float> values(40);
  std::vector<int> labels(20);
  for (std::size_t i = 0; i < 20; ++i) {
    labels[i] = i % 2 == 0 ? 0 : 1;
    values[2 * i] = static_cast<float>(labels[i]) + 0.01F * static_cast<float>(i);
    values[2 * i + 1] = static_cast<float>(i % 5);
  }
  //! [measures]
  // 20 samples of 2 features; a program gets them from eval::encode.
  ds::eval::Labelled const part{{values, 20, 2}, labels};
  auto const neighbours = ds::eval::knn(part, part, {.k = {3}});
  auto const probe = ds::eval::linear_probe(part, part, part);  // training, validation, test
  // neighbours.front().accuracy and probe.accuracy, both in [0, 1]
  //! [measures]
  CHECK(probe.accuracy == 1);
  CHECK(neighbours.front().accuracy > 0.4);
  //! [measure_errors]
  CHECK_THROWS_WITH(ds::eval::knn(part, part, {.k = {50}}), "knn: expected k in [1, 20], got 50");
  values[7] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(ds::eval::knn(part, part, {.k = {3}}), contains("knn: expected"));
  //! [measure_errors]
}

TEST_CASE("the page on files shows what runs") {
  auto const folder = empty_folder("files");
  B::Context context;
  Small const small{context};
  auto const& model = small.model;
  //! [files]
  ds::save(folder / "model.safetensors", model);
  auto const again = ds::load<ds::DiffSiam<B>>(context, folder / "model.safetensors");
  auto const encoder =
      ds::load<ds::ModularEncoder<B>>(context, folder / "model.safetensors");  // a part of it
  //! [files]
  CHECK(again.partition() == model.partition());
  CHECK(encoder.latent_dims() == 8);
  ds::save(folder / "denoiser.safetensors", small.denoiser);
  //! [file_errors]
  CHECK_THROWS_WITH(
      ds::load<ds::DiffSiam<B>>(context, folder / "denoiser.safetensors"),
      contains("load: expected a file of kind diffsiam, got") && contains("of kind 'denoiser'"));
  CHECK_THROWS_WITH(ds::load<ds::UNet<B>>(context, folder / "gone.safetensors"),
                    contains("gone.safetensors"));
  ds::io::save_weights(folder / "weights.safetensors", small.denoiser);
  CHECK_THROWS_WITH(
      ds::load<ds::UNet<B>>(context, folder / "weights.safetensors"),
      contains("got weights alone; build the model as it was built, and read them with load_weights"));
  //! [file_errors]
}
