// Models in files: any configuration beside the weights of a small encoder, a denoiser or a DiffSiam, which
// the first byte chooses. A configuration that is read builds the model of these weights, and no other.
#include <array>
#include <string>
#include <vector>

#include <tests/fuzz/fuzz.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/io/model_file.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

namespace {

using B = backend::Reference<float>;

/// The small model of each kind.
struct Models {
  B::Context context;
  ModularEncoder<B> encoder{
      context,
      {.backbone =
           {.in_channels = 1, .height = 4, .width = 4, .channels = {2}, .attention_after = -1, .groups = 1},
       .partition = TimestepPartition::uniform({.timesteps = 4, .subsets = 2, .dims = 3})}};
  UNet<B> denoiser{context,
                   {.in_channels = 1,
                    .base_channels = 2,
                    .multipliers = {1},
                    .blocks_per_level = 1,
                    .attention_factors = {},
                    .groups = 1}};
  DiffSiam<B> diffsiam{encoder,
                       ShiftDecoder<B>{context, denoiser, {.latent_dims = 3}},
                       {.schedule = NoiseSchedule::linear(4, 0.1, 0.2)}};
};
Models& models() {
  static Models all;
  return all;
}

/// How many there are, frozen ones too.
template <class M>
Index weights_of(M const& model) {
  nn::ParameterList<B> list;
  list.add(model);
  return list.size();
}

template <class M>
std::string configuration_of(M const& model) {
  nlohmann::ordered_json json{{"kind", io::ModelDescription<M>::kind}};
  json.update(io::json_of(io::ModelDescription<M>(model)));
  return json.dump();
}

/// Whether the weights of `model` with this configuration are read. What is no JSON is refused before a
/// weight is looked at, so a file without weights shows it as well, and sooner.
template <class M>
bool reads_model(M const& model, std::string const& configuration) {
  io::SafetensorsWriter writer;
  io::TensorTable<B> table;
  if (nlohmann::json::accept(configuration)) io::add_weights(table, model);
  table.save(writer);
  writer.metadata(io::model_key, configuration);
  std::vector<std::byte> file;
  try {
    file = writer.encode();
  } catch (Error const&) {  // not in UTF-8
    return false;
  }
  auto const parsed = io::SafetensorsFile::parse(file, "fuzz");
  // With memory that is there already: what the pool takes besides is counted.
  return reads(file.size(), {.factor = 64}, [&] {
    auto const read = io::load<M>(models().context, parsed);
    require(weights_of(read) == weights_of(model), "a model of these weights");
  });
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  return {bytes_of("e" + configuration_of(models().encoder)),
          bytes_of("d" + configuration_of(models().denoiser)),
          bytes_of("m" + configuration_of(models().diffsiam))};
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text = text_of({data, size});
  if (text.empty()) return 0;
  std::string const configuration{text.substr(1)};
  bool const good = text[0] == 'e'   ? reads_model(models().encoder, configuration)
                    : text[0] == 'd' ? reads_model(models().denoiser, configuration)
                                     : reads_model(models().diffsiam, configuration);
  accepted += good ? 1 : 0;
  return 0;
}
