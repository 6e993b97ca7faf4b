#include <string>
#include <vector>

#include <tests/io/model_files.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/published_encoder.hpp>

using namespace diffsiam;

namespace {

using B = test::ModelBackend;
using Conv = encoder::ConvBackbone<B>::Config;

/// The weights of an encoder as published, without settings.
template <class M>
io::SafetensorsFile published_encoder_file(M const& encoder) {
  io::TensorTable<B> table;
  io::add_weights(table, encoder);
  io::SafetensorsWriter writer;
  table.save(writer);
  return io::SafetensorsFile::parse(writer.encode(), "encoder.safetensors");
}

}  // namespace

TEST_CASE("The configuration of an encoder follows from names and shapes", "[io][published]") {
  B::Context context;
  std::vector<Conv> const configs{{.in_channels = 3,
                                   .height = 8,
                                   .width = 8,
                                   .channels = {4, 8},
                                   .attention_after = 1,
                                   .heads = 2,
                                   .groups = 2},
                                  {.in_channels = 1,
                                   .height = 16,
                                   .width = 16,
                                   .channels = {2, 4, 6},
                                   .attention_after = -1,
                                   .heads = 2,
                                   .groups = 2},
                                  {.in_channels = 1,
                                   .height = 12,
                                   .width = 28,
                                   .channels = {4, 6},
                                   .attention_after = 0,
                                   .heads = 2,
                                   .groups = 2}};
  auto const partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = 1, .dims = 7});
  for (Conv const& config : configs) {
    std::string const prefix = GENERATE("", "ema_encoder.");
    ModularEncoder<B> const saved{context, {.backbone = config, .partition = partition}};
    test::draw_weights(saved);
    auto const file = test::ChangedFile{published_encoder_file(saved), prefix}.file();
    io::PublishedEncoderOptions options{.groups = 2, .heads = 2};
    if (config.height != config.width) {
      CHECK_THROWS_WITH(io::infer_encoder<B>(file, options),
                        test::contains("say the sides with `height` and `width`"));
      options.height = config.height;
      options.width = config.width;
    }
    auto const loaded = io::load_published_encoder<B>(context, file, options);
    CHECK(io::json_of(loaded.found.config.backbone) == io::json_of(config));
    CHECK(loaded.found.config.partition == partition);
    CHECK(loaded.found.prefix == prefix);
    auto const x = test::drawn(context, {1, config.height, config.width, config.in_channels}, 1);
    CHECK(loaded.encoder(x).values() == saved(x).values());
  }
}

TEST_CASE("An encoder of another form is refused with a sentence", "[io][published]") {
  B::Context context;
  auto const published = published_encoder_file(test::small_encoder(context));
  io::PublishedEncoderOptions options{.groups = 2, .heads = 2};
  auto const refusal = [&](std::string const& left_out, std::string const& added = "") {
    test::ChangedFile changed{published, "", left_out};
    if (!added.empty()) changed.writer.add(added, io::Dtype::F32, {1}, std::vector<float>{1});
    return test::message_of<Error>(
        [&] { (void)io::load_published_encoder<B>(context, changed.file(), options); });
  };
  CHECK(refusal("") == "");
  CHECK_THAT(refusal("encoder.0.weight"), test::contains("'encoder.0.weight', got none"));
  CHECK_THAT(refusal("encoder.8.weight"), test::contains("a tensor 'encoder.8.weight'"));
  CHECK_THAT(refusal("encoder.3.weight"), test::contains("a tensor 'encoder.4.weight'"));
  CHECK_THAT(refusal("encoder.8.bias"), test::contains("1 missing: 'encoder.8.bias' [5]"));
  CHECK_THAT(refusal("", "encoder.99.weight"), test::contains("1 besides: 'encoder.99.weight' [1]"));
  options.partition = TimestepPartition::uniform({.timesteps = 10, .subsets = 2, .dims = 6});
  CHECK_THAT(refusal(""), test::contains("a partition of 5 dims, got 6 dims"));
  options.partition = TimestepPartition::uniform({.timesteps = 10, .subsets = 2, .dims = 5});
  CHECK(refusal("") == "");
  options.partial = true;
  auto const loaded = io::load_published_encoder<B>(
      context, test::ChangedFile(published, "", "encoder.8.bias").file(), options);
  CHECK(loaded.misfits.missing == std::vector<std::string>{"encoder.8.bias"});
  CHECK(loaded.encoder.partition() == *options.partition);
}
