#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/io/model_files.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/encoder/resnet.hpp>
#include <diffsiam/io/model_file.hpp>
#include <diffsiam/ops/pool.hpp>

using namespace diffsiam;
using diffsiam::test::drawn;
using diffsiam::test::Scratch;

namespace {

using B = test::ModelBackend;

Tensor<B> pictures(B::Context& context) {
  return drawn(context, {2, 8, 8, 1}, 1);
}
Tensor<B> steps(B::Context& context) {
  return Tensor<B>::from(context, {2}, std::span<double const>(std::vector<double>{3, 17}));
}

/// A file of a denoiser whose configuration has one part replaced.
io::SafetensorsFile denoiser_with(std::string const& part, std::string const& other) {
  Scratch const scratch;
  B::Context context;
  save(scratch / "denoiser", test::small_denoiser(context));
  auto const file = io::SafetensorsFile::read(scratch / "denoiser");
  std::string text = file.metadata().at(io::model_key);
  std::size_t const at = text.find(part);
  REQUIRE(at != std::string::npos);
  test::ChangedFile changed{file};
  changed.writer.metadata(io::model_key, text.replace(at, part.size(), other));
  return changed.file();
}

/// A backbone of the user's own that files describe.
template <class V>
struct OwnBackbone {
  using Backend = V;
  static constexpr std::string_view kind = "own";
  struct Config {
    Index channels = 4;
    template <class Self, class F>
    static void for_each_field(Self& self, F&& f) {
      f("channels", self.channels);
    }
  };
  nn::Conv2d<V> conv;
  Config config_;

  OwnBackbone(nn::Init<V>& init, Config const& config)
      : conv(init, {.in = 1, .out = config.channels}), config_(config) {}
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return ops::global_average_pool(conv(x));
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"conv"}, conv);
  }
  [[nodiscard]] Config config() const { return config_; }
  [[nodiscard]] Index features() const { return config_.channels; }
  [[nodiscard]] Index published_head() const { return 1; }
  [[nodiscard]] PublishedLayout head_layout() const { return {}; }
};

}  // namespace

TEST_CASE("A denoiser is built from its file, and the file says what it predicts", "[io][model_file]") {
  Scratch const scratch;
  B::Context context;
  auto const saved = test::small_denoiser(context);
  save(scratch / "denoiser", saved, {.dtype = io::Dtype::F16, .prediction = PredictionTarget::v});
  auto const read = load<UNet<B>>(context, scratch / "denoiser");
  CHECK(io::json_of(read.config()) == io::json_of(saved.config()));
  auto const x = pictures(context), t = steps(context);
  CHECK(read(x, t).values() == saved(x, t).values());
  CHECK(prediction_of(scratch / "denoiser") == PredictionTarget::v);

  // Under the names of published weights, and nothing besides.
  io::save_weights(scratch / "weights", saved);
  CHECK(io::SafetensorsFile::read(scratch / "denoiser").names() ==
        io::SafetensorsFile::read(scratch / "weights").names());
  CHECK_THROWS_WITH(save(scratch / "x", test::small_encoder(context), {.prediction = PredictionTarget::v}),
                    test::contains("a denoiser, which predicts v") && test::contains("kind encoder"));
}

TEST_CASE("A DiffSiam is built from its file, and so are its denoiser and its encoder", "[io][model_file]") {
  Scratch const scratch;
  B::Context context;
  using Encoder = ModularEncoder<B, encoder::ConvBackbone<B>, encoder::SubsetHeads<B>>;
  auto const saved = test::small_diffsiam(context, test::small_encoder<encoder::SubsetHeads<B>>(context));
  save(scratch / "model", saved);
  auto const read = load<DiffSiam<B, Encoder>>(context, scratch / "model");
  CHECK(read.schedule() == saved.schedule());
  CHECK(read.partition() == saved.partition());
  CHECK(read.config().gradient_mode == GradientMode::dual);
  CHECK_FALSE(nn::parameters(read).parameters.empty());
  CHECK(nn::parameters(read).size() == nn::parameters(saved).size());  // the denoiser is frozen in both
  auto const x = pictures(context), t = steps(context);
  auto const z = read.encode(x);
  CHECK(z.values() == saved.encode(x).values());
  auto const ours = read.decoder()(x, t, z), theirs = saved.decoder()(x, t, z);
  CHECK(ours.eps.values() == theirs.eps.values());
  CHECK(ours.gradient.values() == theirs.gradient.values());

  CHECK(load<Encoder>(context, scratch / "model")(x).values() == z.values());
  CHECK(load<UNet<B>>(context, scratch / "model")(x, t).values() == ours.eps.values());
  CHECK(prediction_of(scratch / "model") == PredictionTarget::eps);
  CHECK_THROWS_WITH(load<ModularEncoder<B>>(context, scratch / "model"),
                    test::contains("\"head\"") && test::contains("to be \"linear\", got \"subsets\""));
}

TEST_CASE("An encoder with a backbone of one's own is built from its file", "[io][model_file]") {
  Scratch const scratch;
  B::Context context;
  auto const check = [&]<class Backbone>(std::type_identity<Backbone>, typename Backbone::Config config) {
    using Encoder = ModularEncoder<B, Backbone>;
    Encoder const saved{context,
                        {.backbone = config,
                         .partition = TimestepPartition::staged({.timesteps = 10, .subsets = 3, .dims = 6},
                                                                {{4, 2}, {10, 4}}),
                         .seed = 12345678901234567890U}};
    save(scratch / "encoder", saved);
    auto const read = load<Encoder>(context, scratch / "encoder");
    CHECK(read(pictures(context)).values() == saved(pictures(context)).values());
    CHECK(read.partition() == saved.partition());
    CHECK(read.config().seed == saved.config().seed);
  };
  check(std::type_identity<OwnBackbone<B>>{}, {.channels = 3});
  CHECK_THROWS_WITH(load<ModularEncoder<B>>(context, scratch / "encoder"),
                    test::contains("\"backbone_kind\"") && test::contains("to be \"conv\", got \"own\""));
  check(std::type_identity<encoder::ResNet10<B>>{}, {.in_channels = 1, .width = 2});
}

TEST_CASE("A file that does not describe the model is refused with a sentence", "[io][model_file]") {
  Scratch const scratch;
  B::Context context;
  io::save_weights(scratch / "weights", test::small_denoiser(context));
  CHECK_THROWS_WITH(load<UNet<B>>(context, scratch / "weights"),
                    test::contains("the configuration of a model") && test::contains("load_weights"));
  auto const refusal = [&](std::string const& part, std::string const& other) {
    auto const file = denoiser_with(part, other);
    return test::message_of<Error>([&] { (void)load<UNet<B>>(context, file); });
  };
  CHECK(refusal("\"dropout\":0.0", "\"dropout\":0.5") == "");
  CHECK_THAT(refusal("\"kind\":\"denoiser\"", "\"kind\":\"encoder\""),
             test::contains("a file of kind denoiser") && test::contains("of kind 'encoder'"));
  CHECK_THAT(refusal("\"groups\":2", "\"groups\":3"), test::contains("channels that divide into 3 groups"));
  CHECK_THAT(refusal("\"groups\":2,", ""), test::contains("a field \"groups\" in \"denoiser\" of"));
  CHECK_THAT(refusal("\"groups\":2", "\"groups\":2,\"skips\":1"), test::contains("\"skips\" besides"));
  CHECK_THAT(refusal("\"prediction\"", "\"more\":1,\"prediction\""), test::contains("\"more\" besides"));
  CHECK_THAT(refusal("\"groups\":2", "\"groups\":2,\"groups\":2"), test::contains("two of 'groups'"));
  CHECK_THAT(refusal("\"eps\"", "\"score\""), test::contains("one of eps, x_0, v"));
  CHECK_THAT(refusal("\"published\"", "\"mine\""), test::contains("to be \"published\", got \"mine\""));
  CHECK_THAT(refusal("{\"kind\":\"denoiser\",", "["), test::contains("as one object of JSON"));
  CHECK_THAT(refusal("\"kind\":\"denoiser\",", ""), test::contains("with a kind"));
  // The settings beside the configuration contradict it.
  CHECK_THAT(refusal("\"heads\":2", "\"heads\":1"), test::contains("heads = 1 in place of 2"));
}

TEST_CASE("A configuration whose weights are not in the file takes no memory", "[io][model_file]") {
  B::Context context;
  context.memory().reset_peak();
  auto const before = context.memory().peak_bytes();
  for (auto const& [part, other] : std::vector<std::pair<std::string, std::string>>{
           {"\"base_channels\":4", "\"base_channels\":1048576"},
           {"\"multipliers\":[1,2]", "\"multipliers\":[1,262144]"},
           {"\"multipliers\":[1,2]", "\"multipliers\":[1,1048576]"},
           {"\"multipliers\":[1,2]",
            "\"multipliers\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"},
           {"\"blocks_per_level\":1", "\"blocks_per_level\":1048576"}}) {
    auto const file = denoiser_with(part, other);
    CAPTURE(other);
    CHECK_THROWS_AS(load<UNet<B>>(context, file), Error);
    CHECK(context.memory().peak_bytes() == before);
  }
  CHECK_THROWS_WITH(load<UNet<B>>(context, denoiser_with("\"multipliers\":[1,2]", "\"multipliers\":[1,4]")),
                    test::contains("[16, 4, 3, 3]") && test::contains("of another shape"));
}

namespace {

std::filesystem::path const release_files =
    (std::filesystem::path(DIFFSIAM_TEST_DATA) / "../io/files/models").lexically_normal();

void check_near(std::vector<double> const& ours, io::SafetensorsFile const& expected,
                std::string const& name) {
  auto const values = expected.values<double>(name);
  REQUIRE(ours.size() == values.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    CHECK(std::abs(ours[i] - values[i]) <= 1e-9 * (1 + std::abs(values[i])));
}

}  // namespace

TEST_CASE("Model files of an earlier release are read, and compute what they did", "[io][model_file]") {
  B::Context context;
  auto const expected = io::SafetensorsFile::read(release_files / "expected.safetensors");
  auto const x = pictures(context), t = steps(context);
  check_near(load<UNet<B>>(context, release_files / "denoiser.safetensors")(x, t).values(), expected, "eps");
  auto const z = load<ModularEncoder<B>>(context, release_files / "encoder.safetensors")(x);
  check_near(z.values(), expected, "z");
  auto const model = load<DiffSiam<B>>(context, release_files / "diffsiam.safetensors");
  check_near(model.decoder()(x, t, z).gradient.values(), expected, "gradient");
  CHECK(model.config().gradient_mode == GradientMode::dual);
  CHECK(model.schedule() == NoiseSchedule::linear(20, 1e-3, 0.2));
}

// Not run by the suite: it writes the files of the test above, which must then stay as they are.
TEST_CASE("Model files of this release are written", "[.write_model_files]") {
  B::Context context;
  auto const x = pictures(context), t = steps(context);
  auto const denoiser = test::small_denoiser(context);
  auto const encoder = test::small_encoder(context);
  auto const model = test::small_diffsiam(context, encoder);
  save(release_files / "denoiser.safetensors", denoiser, {.dtype = io::Dtype::F16});
  save(release_files / "encoder.safetensors", encoder, {.dtype = io::Dtype::F16});
  save(release_files / "diffsiam.safetensors", model, {.dtype = io::Dtype::F16});
  io::SafetensorsWriter writer;
  auto const eps = denoiser(x, t);
  auto const z = encoder(x);
  auto const add = [&](std::string const& name, std::vector<std::int64_t> const& shape, Tensor<B> const& y) {
    writer.add(name, io::Dtype::F64, shape, y.values());
  };
  add("x", {2, 1, 8, 8}, x);  // of one channel, so both layouts have one order
  add("t", {2}, t);
  add("eps", {2, 1, 8, 8}, eps);
  add("z", {2, 5}, z);
  add("gradient", {2, 1, 8, 8}, model.decoder()(x, t, z).gradient);
  writer.write(release_files / "expected.safetensors");
}
