#include <cstdint>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/io/published_weights.hpp>
#include <diffsiam/nn/attention.hpp>
#include <diffsiam/nn/batch_norm.hpp>
#include <diffsiam/nn/conv2d.hpp>
#include <diffsiam/nn/res_block.hpp>
#include <diffsiam/nn/sequential.hpp>

using namespace diffsiam;

namespace {

using Host = backend::Reference<double>;

/// The file that `module` makes, in memory.
template <class M>
io::SafetensorsFile saved(M const& module) {
  io::SafetensorsWriter writer;
  io::save_weights(writer, module);
  return io::SafetensorsFile::parse(writer.encode(), "weights.safetensors");
}
template <class M>
std::string settings_refusal(io::SafetensorsFile const& file, M const& module,
                             std::string const& prefix = "") {
  return test::message_of<ConfigError>([&] { io::load_weights(file, module, prefix); });
}

struct Layers {
  Host::Context context;
  nn::Init<Host> init{context, 1};

  nn::GroupNorm<Host> group_norm(Index groups, double epsilon = 1e-5) {
    return {init, {.channels = 8, .groups = groups, .epsilon = epsilon}};
  }
};

/// Two children, and a setting of its own.
struct Pair {
  using Backend = Host;
  nn::GroupNorm<Host> first, second;
  int window = 3;

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"first", "net.0"}, first);
    f(nn::ChildName{"second", "net.1"}, second);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("window", window);
  }
};

/// A group norm and an activation behind it.
template <class Activation>
struct Activated {
  using Backend = Host;
  nn::GroupNorm<Host> norm;
  Activation activation{};

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"norm"}, norm);
    f(nn::ChildName{"activation"}, activation);
  }
};

}  // namespace

TEST_CASE("Settings that no shape shows are saved, and others are refused on loading", "[io][settings]") {
  Layers make;
  using nn::Conv2d;
  using nn::ResBlock;
  using nn::SelfAttention;
  SECTION("groups and epsilon") {
    CHECK(settings_refusal(saved(make.group_norm(4)), make.group_norm(4)) == "");
    CHECK(settings_refusal(saved(make.group_norm(4)), make.group_norm(2)) ==
          "load_weights: expected a model with the settings that 'weights.safetensors' was saved with, got "
          "groups = 2 in place of 4; build the model as it was built then");
    CHECK_THAT(settings_refusal(saved(make.group_norm(4)), make.group_norm(8, 1e-6)),
               test::contains("groups = 8 in place of 4, epsilon = 1e-06 in place of 1e-05"));
  }
  SECTION("an activation") {
    nn::GroupNorm<Host, functional::Silu> const silu{make.init, {.channels = 8, .groups = 4}};
    CHECK_THAT(settings_refusal(saved(make.group_norm(4)), silu),
               test::contains("activation = silu in place of identity"));
  }
  SECTION("a norm of another kind") {
    nn::LayerNorm<Host> const layer_norm{make.init, {.channels = 8}};
    CHECK_THAT(settings_refusal(saved(make.group_norm(4)), layer_norm),
               test::contains("groups = nothing in place of 4"));
    CHECK_THAT(settings_refusal(saved(layer_norm), make.group_norm(4)),
               test::contains("groups = 4 in place of nothing"));
  }
  SECTION("epsilon of a batch norm") {
    nn::BatchNorm<Host> const one{make.init, {.channels = 8}};
    nn::BatchNorm<Host> const other{make.init, {.channels = 8, .epsilon = 1e-3}};
    CHECK_THAT(settings_refusal(saved(one), other), test::contains("epsilon = 0.001 in place of 1e-05"));
  }
  SECTION("heads") {
    SelfAttention<Host> const one{make.init, {.channels = 8, .heads = 1, .groups = 4}};
    SelfAttention<Host> const two{make.init, {.channels = 8, .heads = 2, .groups = 4}};
    CHECK_THAT(settings_refusal(saved(one), two), test::contains("heads = 2 in place of 1"));
  }
  SECTION("a stride") {
    Conv2d<Host> const one{make.init, {.in = 2, .out = 2}};
    Conv2d<Host> const two{make.init, {.in = 2, .out = 2, .stride = 2}};
    CHECK_THAT(settings_refusal(saved(one), two), test::contains("stride = 2 in place of 1"));
  }
  SECTION("resampling") {
    ResBlock<Host> const keep{make.init, {.in = 4, .out = 4, .embedding = 4, .groups = 2}};
    ResBlock<Host> const halve{
        make.init, {.in = 4, .out = 4, .embedding = 4, .groups = 2, .resample = nn::Resample::halve}};
    CHECK_THAT(settings_refusal(saved(keep), halve), test::contains("resample = halve in place of keep"));
  }
  SECTION("a layer without weights") {
    Activated<nn::SiluLayer> const silu{make.group_norm(4)};
    Activated<nn::ReluLayer> const relu{make.group_norm(4)};
    CHECK_THAT(settings_refusal(saved(silu), relu),
               test::contains("activation = relu in place of silu in 'activation'"));
  }
}

TEST_CASE("Settings are named by their module, alike ones once", "[io][settings]") {
  Layers make;
  Pair const model{make.group_norm(4), make.group_norm(4)};
  CHECK_THAT(settings_refusal(saved(model), Pair{make.group_norm(2), make.group_norm(2), 5}),
             test::contains("window = 5 in place of 3, groups = 2 in place of 4 in 'net.0' and 1 more;"));
  CHECK_THAT(settings_refusal(saved(model), Pair{make.group_norm(4), make.group_norm(2)}),
             test::contains("got groups = 2 in place of 4 in 'net.1';"));
}

TEST_CASE("Settings below a prefix are those of the module that is loaded from there", "[io][settings]") {
  Layers make;
  io::SafetensorsWriter writer;
  io::save_weights(writer, make.group_norm(4), "one.");
  io::save_weights(writer, make.group_norm(2), "two.");
  auto const file = io::SafetensorsFile::parse(writer.encode(), "both");
  CHECK(settings_refusal(file, make.group_norm(4), "one.") == "");
  CHECK(settings_refusal(file, make.group_norm(2), "two.") == "");
  CHECK_THAT(settings_refusal(file, make.group_norm(2), "one."),
             test::contains("groups = 2 in place of 4 in 'one'"));
  Pair const model{make.group_norm(4), make.group_norm(2)};
  CHECK(settings_refusal(saved(model), make.group_norm(2), "net.1.") == "");
  CHECK_THAT(settings_refusal(saved(model), make.group_norm(4), "net.1."),
             test::contains("groups = 4 in place of 2 in 'net.1'"));
}

TEST_CASE("Files without settings load as before, and a partial load tells of settings", "[io][settings]") {
  Layers make;
  io::SafetensorsWriter writer;
  for (char const* const name : {"weight", "bias"})
    writer.add(name, io::Dtype::F32, {8}, std::vector<float>(8, 2.0F));
  auto const published = io::SafetensorsFile::parse(writer.encode(), "published");
  CHECK(io::saved_settings(published).empty());
  auto const module = make.group_norm(2);
  CHECK_NOTHROW(io::load_weights(published, module));

  auto const misfits = io::load_matching_weights(saved(make.group_norm(4)), module);
  CHECK(misfits.settings == std::vector<std::string>{"groups = 2 in place of 4"});
  CHECK(misfits.missing.empty());

  writer.metadata(io::settings_key, "[1]");
  auto const broken = io::SafetensorsFile::parse(writer.encode(), "broken");
  CHECK_THROWS_WITH(io::load_weights(broken, module),
                    test::contains("the settings of 'broken' as one object of JSON, got '[1]'"));
  writer.metadata(io::settings_key, std::string(500000, '[') + std::string(500000, ']'));
  auto const deep = io::SafetensorsFile::parse(writer.encode(), "deep");
  CHECK_THROWS_WITH(io::load_weights(deep, module),
                    test::contains("the settings of 'deep'") && test::contains("got 500000 levels"));
}
