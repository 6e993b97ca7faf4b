#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/io/model_files.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/published_unet.hpp>

using namespace diffsiam;

namespace {

using B = test::ModelBackend;

/// Our own weights as published: without settings.
struct PublishedNet {
  B::Context context;
  unet::Config config;
  UNet<B> net;
  io::SafetensorsFile file;

  explicit PublishedNet(unet::Config const& sizes)
      : config(sizes), net(test::small_denoiser(context, sizes)), file(weights_of(net)) {}

  template <class M>
  [[nodiscard]] static io::SafetensorsFile weights_of(M const& module) {
    io::TensorTable<B> table;
    io::add_weights(table, module);
    io::SafetensorsWriter writer;
    table.save(writer);
    return io::SafetensorsFile::parse(writer.encode(), "published.safetensors");
  }
  [[nodiscard]] std::vector<double> eps_of(UNet<B> const& one) {
    auto const x = test::drawn(context, {2, 8, 16, config.in_channels}, 1);
    return one(x, Tensor<B>::from(context, {2}, std::span<double const>(std::vector<double>{3, 700})))
        .values();
  }
};

unet::Config const two_levels{.in_channels = 1,
                              .base_channels = 4,
                              .multipliers = {1, 2},
                              .blocks_per_level = 1,
                              .attention_factors = {2},
                              .heads = 2,
                              .groups = 2};

io::PublishedUNetOptions options_of(unet::Config const& config) {
  return {.groups = config.groups, .heads = config.heads, .head_channels = config.head_channels};
}

/// The tensors of a file, with one more row block: "out.2.*" with a variance, or classes.
void add_variance(test::ChangedFile& changed, io::SafetensorsFile const& file) {
  for (std::string const& name : {std::string("out.2.weight"), std::string("out.2.bias")}) {
    auto shape = file.shape(name);
    auto values = file.values<double>(name);
    shape[0] *= 2;
    values.resize(2 * values.size(), 5.0);
    changed.writer.add(name, io::Dtype::F64, shape, values);
  }
}

}  // namespace

TEST_CASE("The configuration of a UNet follows from names and shapes", "[io][published]") {
  std::vector<unet::Config> const configs{two_levels,
                                          {.in_channels = 3,
                                           .base_channels = 2,
                                           .multipliers = {1},
                                           .blocks_per_level = 2,
                                           .attention_factors = {},
                                           .groups = 1},
                                          {.in_channels = 2,
                                           .base_channels = 2,
                                           .multipliers = {2, 1, 3},
                                           .blocks_per_level = 3,
                                           .attention_factors = {1, 4},
                                           .head_channels = 2,
                                           .groups = 2},
                                          {.in_channels = 1,
                                           .base_channels = 2,
                                           .multipliers = {1, 1, 1, 1},
                                           .blocks_per_level = 1,
                                           .attention_factors = {2, 8},
                                           .groups = 1}};
  for (auto const& config : configs) {
    PublishedNet published{config};
    std::string const prefix = GENERATE("", "model.", "ema_model.", "module.denoise_fn.");
    auto const file = test::ChangedFile{published.file, prefix}.file();
    auto const found = io::infer_unet(file, options_of(config));
    CHECK(io::json_of(found.config) == io::json_of(config));
    CHECK(found.prefix == prefix);
    CHECK_FALSE(found.learned_variance);
    CHECK(found.notes.empty());
    auto const loaded = io::load_published_unet<B>(published.context, file, options_of(config));
    CHECK(published.eps_of(loaded.denoiser) == published.eps_of(published.net));
  }
}

TEST_CASE("A file that PyTorch's guided diffusion wrote computes what it computed there", "[io][published]") {
  B::Context context;
  auto const path = (std::filesystem::path(DIFFSIAM_TEST_DATA) / "../io/files/models/adm_unet.safetensors");
  auto const file = io::SafetensorsFile::read(path.lexically_normal());
  auto const loaded = io::load_published_unet<B>(context, file, {.groups = 2, .heads = 2, .label = 1});
  CHECK(loaded.found.prefix == "ema_model.");
  CHECK(loaded.found.learned_variance);
  CHECK(loaded.found.classes == 3);
  REQUIRE(loaded.found.notes.size() == 2);
  CHECK_THAT(loaded.found.notes[0], test::contains("first 2 channels, which predict eps"));
  CHECK_THAT(loaded.found.notes[1], test::contains("class 1"));

  PublishedLayout const image{.kind = PublishedLayout::Kind::conv};
  Shape const shape{2, 4, 6, 2};
  auto const x = io::from_published(image, shape, file.values<double>("example.x"));
  auto const t = file.values<double>("example.t");
  auto const eps = loaded.denoiser(Tensor<B>::from(context, shape, std::span<double const>(x)),
                                   Tensor<B>::from(context, {2}, std::span<double const>(t)));
  auto const ours = io::to_published(image, shape, eps.values());
  auto const theirs = file.values<double>("example.eps");
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    CHECK(std::abs(ours[i] - theirs[i]) < 1e-6 * (1 + std::abs(theirs[i])));
}

TEST_CASE("A class-conditional network is the denoiser of the class that is asked for", "[io][published]") {
  PublishedNet published{two_levels};
  test::ChangedFile changed{published.file};
  std::vector<double> rows(3 * 16);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<double>(i) / 64;
  changed.writer.add("label_emb.weight", io::Dtype::F64, {3, 16}, rows);
  auto options = options_of(two_levels);
  auto const load = [&] { return io::load_published_unet<B>(published.context, changed.file(), options); };
  CHECK_THROWS_WITH(load(),
                    test::contains("a label in [0, 3), got none") && test::contains("conditioned by class"));
  for (Index const label : {-1, 3}) {
    options.label = label;
    CHECK_THROWS_WITH(load(), test::contains("a label in [0, 3), got " + std::to_string(label)));
  }
  options.label = 2;
  auto const of_class = load();
  nn::for_each_leaf(published.net, [&](nn::LeafName const& path, auto const& leaf) {
    if (path.published != "time_embed.2.bias") return;
    auto bias = leaf.value().values();
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += rows[32 + i];
    leaf.value().assign(std::span<double const>(bias));
  });
  CHECK(published.eps_of(of_class.denoiser) == published.eps_of(published.net));
  CHECK_THROWS_WITH(io::load_published_unet<B>(published.context, published.file, options),
                    test::contains("no label, got 2") && test::contains("no classes"));
}

TEST_CASE("Networks of another form are refused with a sentence", "[io][published]") {
  PublishedNet published{two_levels};
  auto const options = options_of(two_levels);
  auto const refusal = [&](std::string const& left_out, std::string const& added,
                           std::vector<std::int64_t> const& shape) {
    test::ChangedFile changed{published.file, "", left_out};
    std::size_t size = 1;
    for (auto const extent : shape) size *= static_cast<std::size_t>(extent);
    if (!added.empty()) changed.writer.add(added, io::Dtype::F32, shape, std::vector<float>(size));
    return test::message_of<Error>(
        [&] { (void)io::load_published_unet<B>(published.context, changed.file(), options); });
  };
  CHECK_THAT(refusal("out.2.weight", "", {}),
             test::contains("the weights of one network") && test::contains("got none"));
  CHECK_THAT(refusal("time_embed.0.weight", "time_embed.time_embed.0.weight", {16, 4}),
             test::contains("told the time alone") && test::contains("Diff-AE"));
  CHECK_THAT(refusal("input_blocks.2.0.in_layers.2.weight", "input_blocks.2.0.op.weight", {4, 4, 3, 3}),
             test::contains("resblock_updown") && test::contains("at 'input_blocks.2.0'"));
  CHECK_THAT(refusal("output_blocks.1.2.in_layers.2.weight", "output_blocks.1.2.conv.weight", {8, 8, 3, 3}),
             test::contains("resblock_updown") && test::contains("at 'output_blocks.1.2'"));
  CHECK_THAT(refusal("input_blocks.3.0.in_layers.2.weight", "", {}),
             test::contains("3 input blocks, 4 output blocks, 1 of them go up"));
  CHECK_THAT(refusal("input_blocks.1.0.emb_layers.1.weight", "input_blocks.1.0.emb_layers.1.weight", {4, 16}),
             test::contains("use_scale_shift_norm"));
  CHECK_THAT(
      refusal("input_blocks.3.0.in_layers.2.weight", "input_blocks.3.0.in_layers.2.weight", {6, 4, 3, 3}),
      test::contains("multiples of 4 channels") && test::contains("6 at 'input_blocks.3'"));
  CHECK_THAT(refusal("time_embed.0.weight", "time_embed.0.weight", {32, 4}),
             test::contains("4 times as many embedded") && test::contains("4, 4 and 32"));
  CHECK_THAT(refusal("out.2.weight", "out.2.weight", {3, 4, 3, 3}),
             test::contains("1 channels of the prediction, or 2 with the variance"));
  CHECK_THAT(refusal("input_blocks.0.0.weight", "input_blocks.0.0.weight", {0, 1, 3, 3}),
             test::contains("positive extents"));
  CHECK_THAT(refusal("", "label_emb.weight", {3, 7}), test::contains("embedded in 16 dims"));
  CHECK_THAT(refusal("", "stray", {2}), test::contains("1 besides: 'stray' [2]"));
  CHECK_THAT(
      refusal("middle_block.1.qkv.weight", "middle_block.1.qkv.weight", {24, 8}),
      test::contains("1 of another shape: 'middle_block.1.qkv.weight' [24, 8] in place of [24, 8, 1]"));
  CHECK_THAT(refusal("middle_block.1.qkv.bias", "", {}),
             test::contains("1 missing: 'middle_block.1.qkv.bias' [24]"));
  auto groups = options;
  groups.groups = 32;
  CHECK_THROWS_WITH(io::infer_unet(published.file, groups), test::contains("divide into 32 groups"));
}

TEST_CASE("Of several networks in a file the averaged one is taken, or the one that is named",
          "[io][published]") {
  PublishedNet published{two_levels};
  test::ChangedFile changed{published.file, "model."};
  for (std::string const& name : published.file.names())
    changed.writer.add("other." + name, io::Dtype::F64, published.file.shape(name),
                       published.file.values<double>(name));
  auto options = options_of(two_levels);
  CHECK_THROWS_WITH(io::infer_unet(changed.file(), options),
                    test::contains("'model.', 'other.'") && test::contains("`prefix`"));
  options.prefix = "other.";
  CHECK(io::infer_unet(changed.file(), options).prefix == "other.");
  options.prefix = "none.";
  CHECK_THROWS_WITH(io::infer_unet(changed.file(), options),
                    test::contains("'none.input_blocks.0.0.weight', got none"));
  options.prefix.reset();
  for (std::string const& name : published.file.names())
    changed.writer.add("x.ema_model." + name, io::Dtype::F64, published.file.shape(name),
                       published.file.values<double>(name));
  CHECK(io::infer_unet(changed.file(), options).prefix == "x.ema_model.");
}

TEST_CASE("A partial load takes what fits and lists the rest; most must be there", "[io][published]") {
  PublishedNet published{two_levels};
  auto options = options_of(two_levels);
  options.partial = true;
  test::ChangedFile changed{published.file, "", "middle_block.1.qkv.weight"};
  changed.writer.add("stray", io::Dtype::F32, {1}, std::vector<float>{1});
  auto const loaded = io::load_published_unet<B>(published.context, changed.file(), options);
  CHECK(loaded.misfits.missing == std::vector<std::string>{"middle_block.1.qkv.weight"});
  CHECK(loaded.misfits.unexpected == std::vector<std::string>{"stray"});
  CHECK(loaded.misfits.misshaped.empty());

  // What shapes claim without the weights to fill it takes no memory.
  published.context.memory().reset_peak();
  auto const before = published.context.memory().peak_bytes();
  io::SafetensorsWriter hostile;
  std::string const wide = "input_blocks.3.0.in_layers.2.weight",
                    time = "input_blocks.3.0.emb_layers.1.weight";
  for (std::string const& name : published.file.names())
    if (name != wide && name != time)
      hostile.add(name, io::Dtype::F64, published.file.shape(name), published.file.values<double>(name));
  hostile.add(wide, io::Dtype::F16, {40000, 1, 1, 1}, std::vector<float>(40000));
  hostile.add(time, io::Dtype::F16, {80000, 1}, std::vector<float>(80000));
  auto const file = io::SafetensorsFile::parse(hostile.encode(), "hostile");
  CHECK(io::infer_unet(file, options).config.multipliers.back() == 10000);
  CHECK_THROWS_WITH(io::load_published_unet<B>(published.context, file, options),
                    test::contains("far fewer or smaller"));
  CHECK(published.context.memory().peak_bytes() == before);
}

TEST_CASE("The shift decoder beside a denoiser is seen, and is read as well", "[io][published]") {
  PublishedNet published{two_levels};
  ShiftDecoder<B> const saved{published.context, published.net, {.latent_dims = 5}};
  test::draw_weights(saved);
  auto const file = PublishedNet::weights_of(saved);
  auto const loaded = io::load_published_unet<B>(published.context, file, options_of(two_levels));
  REQUIRE(loaded.found.latent_dims == 5);
  ShiftDecoder<B> const read{published.context, loaded.denoiser, {.latent_dims = *loaded.found.latent_dims}};
  io::load_weights(file, read, loaded.found.prefix);
  auto const x = test::drawn(published.context, {1, 4, 4, 1}, 1),
             z = test::drawn(published.context, {1, 5}, 2);
  auto const t = Tensor<B>::filled(published.context, {1}, 7);
  CHECK(read(x, t, z).gradient.values() == saved(x, t, z).gradient.values());
  CHECK(read(x, t, z).eps.values() == saved(x, t, z).eps.values());
}

TEST_CASE("Learned variance is left out", "[io][published]") {
  PublishedNet published{two_levels};
  test::ChangedFile changed{published.file, "", "out.2.weight"};
  io::SafetensorsWriter writer;
  for (std::string const& name : published.file.names())
    if (!name.starts_with("out.2"))
      writer.add(name, io::Dtype::F64, published.file.shape(name), published.file.values<double>(name));
  changed.writer = writer;
  add_variance(changed, published.file);
  auto const loaded = io::load_published_unet<B>(published.context, changed.file(), options_of(two_levels));
  CHECK(loaded.found.learned_variance);
  CHECK(published.eps_of(loaded.denoiser) == published.eps_of(published.net));
}
