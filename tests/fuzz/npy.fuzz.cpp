// Arrays of numpy: any bytes are read or refused, and what is read is as long as its shape says.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tests/fuzz/fuzz.hpp>

#include <diffsiam/io/npy.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

namespace {

/// A file of this version and header with `data` bytes of elements.
Bytes npy(std::uint8_t version, std::string_view header, std::size_t data) {
  Bytes bytes = bytes_of("\x93NUMPY");
  bytes.insert(bytes.end(), {version, 0, static_cast<std::uint8_t>(header.size()), 0});
  if (version > 1) bytes.insert(bytes.end(), {0, 0});
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (std::size_t i = 0; i < data; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  return bytes;
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  return {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 24),
          npy(2, "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3, 2), }\n", 24),
          npy(3, "{'descr': '|b1', 'fortran_order': False, 'shape': (), }\n", 1),
          npy(1, "{\"shape\": (3L,), \"descr\": \"<f2\", \"fortran_order\": True}", 6)};
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  // An array in Fortran order is held twice while it is put in row-major order, and again as numbers.
  bool const good = reads(size, {.factor = 64}, [&] {
    io::NpyArray const array = io::parse_npy(std::as_bytes(std::span(data, size)), "input.npy");
    std::uint64_t elements = 1;
    for (std::int64_t const extent : array.shape) elements *= static_cast<std::uint64_t>(extent);
    require(array.size() == elements, "as many elements as the shape says");
    require(array.values<double>().size() == elements, "as many numbers as elements");
  });
  accepted += good ? 1 : 0;
  return 0;
}
