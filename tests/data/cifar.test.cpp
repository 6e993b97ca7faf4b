#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/data/kept_files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/cifar.hpp>

using namespace diffsiam;
using test::contains;
using test::KeptFiles;

namespace {

/// The byte that make_files.py puts there.
int shade(int channel, int y, int x, int shift) {
  return (channel * 80 + y * 2 + x / 8 + shift) % 256;
}

bool shaded(data::Dataset const& set, Index i, int shift) {
  std::vector<std::uint8_t> const pixels = set.pixels(i);
  std::size_t at = 0;
  for (int y = 0; y < 32; ++y)
    for (int x = 0; x < 32; ++x)
      for (int channel = 0; channel < 3; ++channel)
        if (pixels[at++] != shade(channel, y, x, shift)) return false;
  return true;
}

}  // namespace

TEST_CASE("CIFAR-10 is read in the order of its files, channels last") {
  KeptFiles const files{"cifar-10-batches-bin"};
  data::Cifar const set = data::load_cifar10(files.folder());
  REQUIRE(set.train.shape() == Shape{5, 32, 32, 3});
  REQUIRE(set.train.labels() == std::vector<int>{1, 2, 3, 4, 5});
  REQUIRE(shaded(set.train, 4, 5));
  REQUIRE(set.test.labels() == std::vector<int>{9, 0});
  REQUIRE(shaded(set.test, 0, 0));
  REQUIRE(shaded(set.test, 1, 10));
  REQUIRE(set.class_names.size() == 10);
  REQUIRE(set.class_names[9] == "truck");
}

TEST_CASE("CIFAR-100 is read with its fine or its coarse labels") {
  KeptFiles const files{"cifar-100-binary"};
  data::Cifar const fine = data::load_cifar100(files.folder());
  REQUIRE(fine.train.labels() == std::vector<int>{99, 42});
  REQUIRE(fine.test.labels() == std::vector<int>{7});
  REQUIRE(shaded(fine.train, 1, 2));
  REQUIRE(fine.class_names[99] == "fine 99");
  data::Cifar const coarse = data::load_cifar100(files.folder(), data::CifarLabels::coarse);
  REQUIRE(coarse.train.labels() == std::vector<int>{19, 0});
  REQUIRE(shaded(coarse.train, 1, 2));
  REQUIRE(coarse.class_names[19] == "coarse 19");
}

TEST_CASE("CIFAR without its file of names has none") {
  KeptFiles const files{"cifar-10-batches-bin"};
  std::filesystem::remove(files / "batches.meta.txt");
  REQUIRE(data::load_cifar10(files.folder()).class_names.empty());
  io::write_file(files / "batches.meta.txt", "cat\ndog\n");
  REQUIRE_THROWS_WITH(data::load_cifar10(files.folder()),
                      contains("10 names of classes") && contains("batches.meta.txt") && contains("got 2"));
}

TEST_CASE("a wrong folder of CIFAR is refused by the file that is wrong") {
  KeptFiles const files{"cifar-10-batches-bin"};
  auto const refused = [&](std::string const& part) {
    REQUIRE_THROWS_WITH(data::load_cifar10(files.folder()), contains("load_cifar") && contains(part));
  };
  SECTION("missing") {
    std::filesystem::remove(files / "data_batch_3.bin");
    refused("data_batch_3.bin', got no such file; the binary version");
  }
  SECTION("truncated") {
    files.cut("test_batch.bin", 1);
    refused("records of 3073 bytes");
  }
  SECTION("empty") {
    files.cut("data_batch_1.bin", 3073);
    refused("got 0 bytes");
  }
  SECTION("a label out of range") {
    files.edit("test_batch.bin", [](std::vector<std::byte>& bytes) { bytes[3073] = std::byte{10}; });
    refused("10 in record 1");
  }
  SECTION("the other CIFAR") {
    KeptFiles const hundred{"cifar-100-binary"};
    std::filesystem::copy(hundred / "test.bin", files / "test_batch.bin",
                          std::filesystem::copy_options::overwrite_existing);
    refused("3074 bytes");
    hundred.edit("train.bin", [](std::vector<std::byte>& bytes) { bytes[1] = std::byte{100}; });
    REQUIRE_THROWS_WITH(data::load_cifar100(hundred.folder()), contains("labels below 100"));
    REQUIRE(data::load_cifar100(hundred.folder(), data::CifarLabels::coarse).train.size() == 2);
  }
}
