#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/io/published_weights.hpp>

using namespace diffsiam;
using diffsiam::test::Scratch;

namespace {

/// One weight of each layout, all extents unequal.
template <class B>
struct Layouts {
  using Backend = B;
  Parameter<B> conv, conv_1d, flattened, linear, absent;
  Buffer<B> mean;

  explicit Layouts(typename B::Context& context)
      : conv(Tensor<B>::zeros(context, {2, 3, 4, 5}), {.kind = PublishedLayout::Kind::conv}),
        conv_1d(Tensor<B>::zeros(context, {3, 2}), {.kind = PublishedLayout::Kind::conv_1d}),
        flattened(Tensor<B>::zeros(context, {2, 3 * 4 * 5}),
                  {.kind = PublishedLayout::Kind::flattened, .h = 3, .w = 4}),
        linear(Tensor<B>::zeros(context, {3, 2})),
        mean(Tensor<B>::zeros(context, {4})) {}

  template <class F>
  void for_each_child(F&& f) const {
    f({"first", "net.0.weight"}, conv);
    f({"second", "net.1.qkv.weight"}, conv_1d);
    f({"third", "net.2.weight"}, flattened);
    f({"fourth", "net.3.weight"}, linear);
    f({"bias", "net.3.bias"}, absent);
    f({"mean", "net.4.running_mean"}, mean);
  }
};

template <class B>
void count_up(Tensor<B> const& tensor) {
  std::vector<double> values(static_cast<std::size_t>(tensor.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i) + 0.5;
  tensor.assign(std::span<double const>(values));
}
template <class B>
void count_up(Layouts<B> const& module) {
  for (auto const& parameter : {module.conv, module.conv_1d, module.flattened, module.linear})
    count_up(parameter.value());
  count_up(module.mean.value());
}
template <class B>
bool counts_up(Layouts<B> const& module) {
  typename B::Context context;
  Layouts<B> const counted{context};
  count_up(counted);
  return module.conv.value().values() == counted.conv.value().values() &&
         module.conv_1d.value().values() == counted.conv_1d.value().values() &&
         module.flattened.value().values() == counted.flattened.value().values() &&
         module.linear.value().values() == counted.linear.value().values() &&
         module.mean.value().values() == counted.mean.value().values();
}

using B = backend::Reference<double>;

/// The published weights, written by hand, for one change each.
struct Published {
  std::string prefix;
  io::SafetensorsWriter writer;
  void add(std::string const& name, std::vector<std::int64_t> shape) {
    std::int64_t size = 1;
    for (std::int64_t extent : shape) size *= extent;
    writer.add(prefix + name, io::Dtype::F32, std::move(shape),
               std::vector<float>(static_cast<std::size_t>(size), 1.0F));
  }
  void add_all_but(std::string const& left_out = "") {
    if (left_out != "net.0.weight") add("net.0.weight", {2, 5, 3, 4});
    if (left_out != "net.1.qkv.weight") add("net.1.qkv.weight", {3, 2, 1});
    if (left_out != "net.2.weight") add("net.2.weight", {2, 60});
    if (left_out != "net.3.weight") add("net.3.weight", {3, 2});
    if (left_out != "net.4.running_mean") add("net.4.running_mean", {4});
  }
  [[nodiscard]] io::SafetensorsFile file() const {
    return io::SafetensorsFile::parse(writer.encode(), "weights.safetensors");
  }
};

}  // namespace

TEST_CASE("Weights are published in PyTorch's names, shapes and orders", "[io][weights]") {
  B::Context context;
  Layouts<B> const module{context};
  count_up(module);
  io::SafetensorsWriter writer;
  io::save_weights(writer, module, "model.");
  auto const file = io::SafetensorsFile::parse(writer.encode(), "memory");

  CHECK(file.names() == std::vector<std::string>{"model.net.0.weight", "model.net.1.qkv.weight",
                                                 "model.net.2.weight", "model.net.3.weight",
                                                 "model.net.4.running_mean"});
  CHECK(file.shape("model.net.0.weight") == std::vector<std::int64_t>{2, 5, 3, 4});
  CHECK(file.shape("model.net.1.qkv.weight") == std::vector<std::int64_t>{3, 2, 1});
  CHECK(file.shape("model.net.2.weight") == std::vector<std::int64_t>{2, 60});
  auto const conv = file.values<double>("model.net.0.weight");
  auto const ours = module.conv.value().values();
  auto const flattened = file.values<double>("model.net.2.weight");
  auto const ours_flattened = module.flattened.value().values();
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t h = 0; h < 3; ++h)
      for (std::size_t w = 0; w < 4; ++w)
        for (std::size_t c = 0; c < 5; ++c) {
          CHECK(conv[((o * 5 + c) * 3 + h) * 4 + w] == ours[((o * 3 + h) * 4 + w) * 5 + c]);
          CHECK(flattened[o * 60 + (c * 3 + h) * 4 + w] == ours_flattened[o * 60 + (h * 4 + w) * 5 + c]);
        }
}

TEMPLATE_TEST_CASE("Weights come back from every floating type", "[io][weights]", backend::Reference<double>,
                   backend::Cpu<float>) {
  Scratch const scratch;
  typename TestType::Context context;
  Layouts<TestType> const module{context}, read{context};
  count_up(module);
  // Halves up to 60 are exact in bfloat16's eight bits.
  auto const dtype = GENERATE(io::Dtype::F16, io::Dtype::BF16, io::Dtype::F32, io::Dtype::F64);
  io::save_weights(scratch / "weights", module, dtype);
  CHECK(io::SafetensorsFile::read(scratch / "weights").dtype("net.0.weight") == dtype);
  CHECK_FALSE(counts_up(read));
  io::load_weights(scratch / "weights", read);
  CHECK(counts_up(read));
}

TEST_CASE("Prefixes of wrappers are looked past, other sections of a file are not looked at",
          "[io][weights]") {
  B::Context context;
  Layouts<B> const module{context};
  std::string const prefix = GENERATE("", "module.", "_orig_mod.", "module._orig_mod.");
  Published published{.prefix = "ema." + prefix, .writer = {}};
  published.add_all_but();
  published.add("net.4.num_batches_tracked", {});
  published.writer.add("other.weight", io::Dtype::F32, {1}, std::vector<float>{7});
  io::load_weights(published.file(), module, "ema.");
  CHECK(module.conv.value().values() == std::vector<double>(120, 1.0));
  CHECK(module.mean.value().values() == std::vector<double>(4, 1.0));
}

TEST_CASE("All weights that do not fit are named in one message, and nothing is changed", "[io][weights]") {
  B::Context context;
  Layouts<B> const module{context};
  count_up(module);
  auto const message = [&](Published const& published, io::Besides const& besides = {}) {
    return test::message_of<FileError>([&] { io::load_weights(published.file(), module, "", besides); });
  };
  Published all_kinds, twice, unexpected;
  all_kinds.add("net.0.weight", {2, 3, 4, 5});
  all_kinds.add("net.1.qkv.weight", {3, 2, 1});
  all_kinds.add("net.3.weight", {2, 3});
  all_kinds.add("net.9.weight", {7, 2});
  CHECK(message(all_kinds) ==
        "load_weights: expected the 5 tensors of the model in 'weights.safetensors', got "
        "2 missing: 'net.2.weight' [2, 60], 'net.4.running_mean' [4]; "
        "2 of another shape: 'net.0.weight' [2, 3, 4, 5] in place of [2, 5, 3, 4], "
        "'net.3.weight' [2, 3] in place of [3, 2]; "
        "1 besides: 'net.9.weight' [7, 2]; is it a checkpoint of another architecture?");
  twice.add_all_but();
  twice.add("module.net.3.weight", {3, 2});
  CHECK_THAT(message(twice), test::contains("'net.3.weight' once"));
  unexpected.add_all_but();
  for (int i = 10; i < 60; ++i) unexpected.add("net." + std::to_string(i), {1});
  CHECK_THAT(message(unexpected), test::contains("50 besides: 'net.10' [1], 'net.11' [1], 'net.12' [1], "
                                                 "'net.13' [1], 'net.14' [1] and 45 more;"));
  CHECK(counts_up(module));
  CHECK(message(unexpected, {.anything = true}) == "");
  CHECK(message(unexpected, {.parts = {"net."}}) == "");
}

TEST_CASE("A partial load takes what fits and says what does not", "[io][weights]") {
  B::Context context;
  Layouts<B> const module{context};
  Published published{.prefix = "module.", .writer = {}};
  published.add("net.0.weight", {2, 3, 4, 5});
  published.add("net.1.qkv.weight", {3, 2, 1});
  published.add("net.3.weight", {3, 2});
  published.add("net.9.weight", {7, 2});
  auto const misfits = io::load_matching_weights(published.file(), module);
  using Names = std::vector<std::string>;
  CHECK(misfits.missing == Names{"net.2.weight", "net.4.running_mean"});
  CHECK(misfits.misshaped == Names{"module.net.0.weight"});
  CHECK(misfits.unexpected == Names{"module.net.9.weight"});
  CHECK_FALSE(misfits.empty());
  CHECK(module.linear.value().values() == std::vector<double>(6, 1.0));
  CHECK(module.conv_1d.value().values() == std::vector<double>(6, 1.0));
  CHECK(module.conv.value().values() == std::vector<double>(120, 0.0));

  Published whole;
  whole.add_all_but();
  CHECK(io::load_matching_weights(whole.file(), module).empty());
}

TEMPLATE_TEST_CASE("Values that weights cannot have are refused on loading, and nothing is changed",
                   "[io][weights]", backend::Reference<double>, backend::Cpu<float>) {
  typename TestType::Context context;
  Layouts<TestType> const module{context};
  count_up(module);
  // In the last tensor, when all others were read.
  auto const message = [&](io::Dtype dtype, std::vector<double> const& values) {
    Published published;
    published.add_all_but("net.4.running_mean");
    published.writer.add("net.4.running_mean", dtype, {4}, values);
    return test::message_of<FileError>([&] { io::load_weights(published.file(), module); });
  };
  double const nan = std::numeric_limits<double>::quiet_NaN();
  double const infinity = std::numeric_limits<double>::infinity();
  for (auto const dtype : {io::Dtype::F16, io::Dtype::BF16, io::Dtype::F32, io::Dtype::F64}) {
    CHECK(message(dtype, {1, 2, nan, nan}) ==
          "load_weights: expected finite values in 'net.4.running_mean' of 'weights.safetensors', got NaN at "
          "index 2");
    CHECK_THAT(message(dtype, {1, -infinity, 3, 4}), test::contains("-infinity at index 1"));
  }
  for (auto const dtype : {io::Dtype::U8, io::Dtype::I64, io::Dtype::BOOL})
    CHECK(message(dtype, {0, 1, 1, 0}) ==
          "load_weights: expected a floating dtype in 'net.4.running_mean' of 'weights.safetensors', got " +
              std::string(io::dtype_name(dtype)));
  if constexpr (std::is_same_v<TestType, backend::Cpu<float>>)
    CHECK_THAT(message(io::Dtype::F64, {1, 2, 3, 1e39}),
               test::contains("numbers that F32 can hold in 'net.4.running_mean'") &&
                   test::contains("1e+39 at index 3"));
  CHECK(counts_up(module));
}

TEST_CASE("Weights that no file should hold are refused", "[io][weights]") {
  Scratch const scratch;
  B::Context context;
  Layouts<B> const module{context};
  module.linear.value().fill(1e6);
  CHECK_THROWS_WITH(io::save_weights(scratch / "weights", module, io::Dtype::F16),
                    test::contains("numbers that F16 can hold in 'net.3.weight', got 1e+06 at index 0"));
  CHECK_THROWS_AS(io::save_weights(scratch / "weights", module, io::Dtype::I32), ConfigError);
  module.linear.value().fill(3.4e38);
  CHECK_THROWS_WITH(io::save_weights(scratch / "weights", module, io::Dtype::BF16),
                    test::contains("numbers that BF16 can hold in 'net.3.weight', got 3.4e+38 at index 0"));
  module.linear.value().fill(1e39);
  CHECK_THROWS_WITH(io::save_weights(scratch / "weights", module, io::Dtype::F32),
                    test::contains("numbers that F32 can hold in 'net.3.weight', got 1e+39 at index 0"));
  module.linear.value().fill(std::numeric_limits<double>::infinity());
  CHECK_THROWS_AS(io::save_weights(scratch / "weights", module), NumericError);
  CHECK_THROWS_WITH(io::save_weights(scratch / "weights", module), test::contains("infinity at index 0"));
  CHECK(scratch.file_count() == 0);

  Parameter<B> const misfit(Tensor<B>::zeros(context, {2, 7}),
                            {.kind = PublishedLayout::Kind::flattened, .h = 2, .w = 2});
  io::TensorTable<B> table;
  table.add("misfit", misfit.value(), misfit.published_layout());
  io::SafetensorsWriter writer;
  CHECK_THROWS_AS(table.save(writer), ShapeError);
}
