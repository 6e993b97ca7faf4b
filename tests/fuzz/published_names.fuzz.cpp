// Published names: weights under any names, one a line, loaded into a module. A name that the module has
// comes with its shape, others with a shape of one. What is refused changes nothing.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <tests/fuzz/fuzz.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/io/published_weights.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

namespace {

using B = backend::Reference<float>;

struct Module {
  using Backend = B;
  Parameter<B> conv, bias, flat;
  Buffer<B> mean;

  explicit Module(B::Context& context)
      : conv(Tensor<B>::zeros(context, {2, 1, 2, 3}), {.kind = PublishedLayout::Kind::conv}),
        bias(Tensor<B>::zeros(context, {2})),
        flat(Tensor<B>::zeros(context, {1, 8}), {.kind = PublishedLayout::Kind::flattened, .h = 2, .w = 2}),
        mean(Tensor<B>::zeros(context, {1})) {}
  template <class F>
  void for_each_child(F&& f) const {
    f({"conv", "net.0.weight"}, conv);
    f({"bias", "net.0.bias"}, bias);
    f({"flat", "module.weight"}, flat);  // as a wrapper would call it
    f({"mean", "net.1.running_mean"}, mean);
  }
  [[nodiscard]] bool zero() const {
    bool result = true;
    nn::for_each_leaf(*this, [&](nn::LeafName const&, auto const& leaf) {
      for (float const value : leaf.value().values()) result = result && value == 0;
    });
    return result;
  }
};

std::vector<std::int64_t> shape_of(std::string_view name) {
  if (name.ends_with("net.0.weight")) return {2, 3, 1, 2};
  if (name.ends_with("net.0.bias")) return {2};
  if (name.ends_with("module.weight")) return {1, 8};
  return {1};
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  return {bytes_of("\nnet.0.weight\nnet.0.bias\nmodule.weight\nnet.1.running_mean"),
          bytes_of("model.\nmodel.module.net.0.weight\nmodel._orig_mod.net.0.bias\nmodel.module.weight\n"
                   "model.module._orig_mod.net.1.running_mean\nother\nmodel.net.1.num_batches_tracked")};
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static B::Context context;
  std::string_view rest = text_of({data, size});
  auto const line = [&] {
    std::size_t const end = std::min(rest.find('\n'), rest.size());
    std::string result{rest.substr(0, end)};
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return result;
  };
  std::string const prefix = line();
  std::vector<std::byte> file;
  try {
    io::SafetensorsWriter writer;
    while (!rest.empty()) {
      std::string const name = line();
      auto const shape = shape_of(name);
      std::size_t elements = 1;
      for (std::int64_t const extent : shape) elements *= static_cast<std::size_t>(extent);
      writer.add(name, io::Dtype::F32, shape, std::vector<float>(elements, 1.0F));
    }
    file = writer.encode();
  } catch (Error const&) {  // a name twice, or not in UTF-8
    return 0;
  }
  auto const parsed = io::SafetensorsFile::parse(file, "fuzz");
  Module const module{context};
  bool const good = reads(file.size(), {.factor = 8}, [&] { io::load_weights(parsed, module, prefix); });
  if (!good) require(module.zero(), "refused weights change nothing");
  accepted += good ? 1 : 0;
  return 0;
}
