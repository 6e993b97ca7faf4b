// safetensors: header, tensors as each type of value, tensors written again in each type, and the whole file
// written again.
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include <tests/fuzz/safetensors_mutator.hpp>

#include <diffsiam/io/safetensors.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;
using io::Dtype;

namespace {

constexpr Dtype dtypes[]{Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64, Dtype::I64, Dtype::I32, Dtype::U8};

/// All elements as T, and those written as `dtype`.
template <class T>
void convert(io::SafetensorsFile const& file, std::string const& name, Dtype dtype) {
  std::vector<T> const values = file.values<T>(name);
  require(values.size() == file.size(name), "as many values as elements");
  io::SafetensorsWriter writer;
  writer.add(name, dtype, file.shape(name), values);
  auto const again = io::SafetensorsFile::parse(writer.encode(), "again");
  require(again.shape(name) == file.shape(name) && again.dtype(name) == dtype, "what is written is read");
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  std::vector<Bytes> result;
  auto const keep = [&](io::SafetensorsWriter const& writer) {
    std::vector<std::byte> const bytes = writer.encode();
    auto const* const data = reinterpret_cast<std::uint8_t const*>(bytes.data());
    result.emplace_back(data, data + bytes.size());
  };
  keep({});
  io::SafetensorsWriter all;
  all.metadata("format", "pt");
  for (Dtype const dtype : dtypes)
    all.add("tensor." + std::string(io::dtype_name(dtype)), dtype, {2, 3},
            std::vector<double>{0, 1, 2, 3, 100, 7});
  keep(all);
  io::SafetensorsWriter odd;
  odd.add("scalar", Dtype::F32, {}, std::vector<double>{-0.5});
  odd.add("none", Dtype::F64, {0, 7}, std::vector<double>{});
  odd.add("deep \u00e4", Dtype::F16, {1, 1, 2, 1, 1, 1}, std::vector<double>{65504, -6e-8});
  keep(odd);
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const content = std::as_bytes(std::span(data, size));
  // Of the header each byte may become some forty as JSON; the data are held once.
  bool const good = reads(size, {.factor = 64}, [&] { (void)io::SafetensorsFile::parse(content, "fuzz"); });
  if (!good) return 0;
  auto const file = io::SafetensorsFile::parse(content, "fuzz");
  ++accepted;
  std::size_t which = size;  // a type a tensor
  for (std::string const& name : file.names()) {
    Dtype const dtype = dtypes[which++ % std::size(dtypes)];
    reads(size, {.factor = 64}, [&] { convert<float>(file, name, dtype); });
    reads(size, {.factor = 64}, [&] { convert<double>(file, name, dtype); });
    reads(size, {.factor = 64}, [&] { convert<std::int64_t>(file, name, dtype); });
  }
  return 0;
}
