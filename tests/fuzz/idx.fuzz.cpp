// IDX, plain and gzip. The first byte of an input says as what the rest is read: bit 0 pictures or labels,
// bit 1 whether it is compressed before, since no mutation meets the check sum of gzip.
#include <cstdint>
#include <vector>

#include <tests/data/files.hpp>
#include <tests/fuzz/memory_file.hpp>

#include <diffsiam/data/idx.hpp>

using namespace diffsiam;
using namespace diffsiam::fuzz;

std::vector<Bytes> fuzz::seeds() {
  Bytes const pictures = test::idx_bytes({2, 3, 4}, test::counting(24));
  Bytes const coloured = test::idx_bytes({1, 2, 2, 3}, test::counting(12));
  Bytes const labels = test::idx_bytes({5}, {0, 9, 1, 255, 3});
  Bytes const many = test::idx_bytes({100, 10, 10}, Bytes(10000));
  std::vector<Bytes> result;
  auto const keep = [&](std::uint8_t how, Bytes bytes) {
    bytes.insert(bytes.begin(), how);
    result.push_back(std::move(bytes));
  };
  keep(0, pictures);
  keep(2, coloured);
  keep(1, labels);
  keep(0, test::gzip(many));
  keep(1, test::gzip(labels));
  Bytes members = test::gzip({pictures.begin(), pictures.begin() + 20});
  Bytes const rest = test::gzip({pictures.begin() + 20, pictures.end()});
  members.insert(members.end(), rest.begin(), rest.end());
  keep(0, members);
  return result;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  static MemoryFile file;
  bool const labels = (data[0] & 1) != 0;
  Bytes bytes(data + 1, data + size);
  if ((data[0] & 2) != 0) bytes = test::gzip(bytes);
  file.put(bytes);
  // Deflate makes 1032 bytes of one at the most, and no more are held than the header declares; labels become
  // int.
  Budget const budget{.factor = labels ? std::size_t{5 * 1032} : std::size_t{1032}};
  bool const good = reads(bytes.size(), budget, [&] {
    if (labels) {
      (void)data::read_idx_labels(file.path());
      return;
    }
    data::ImageSet const set = data::read_idx_images(file.path());
    require(static_cast<Index>(set.pixels.size()) == set.count * set.height * set.width * set.channels,
            "as many pixels as the extents say");
  });
  accepted += good ? 1 : 0;
  return 0;
}
