#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/data/kept_files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/stl10.hpp>

using namespace diffsiam;
using test::contains;
using test::KeptFiles;

namespace {

/// Whether picture i is what make_files.py puts there.
bool shaded(data::Dataset const& set, Index i) {
  std::vector<std::uint8_t> const pixels = set.pixels(i);
  std::size_t at = 0;
  for (int y = 0; y < 96; ++y)
    for (int x = 0; x < 96; ++x)
      for (int channel = 0; channel < 3; ++channel)
        if (pixels[at++] != (static_cast<int>(i) * 10 + y + 2 * (x / 16) + 50 * channel) % 256) return false;
  return true;
}

}  // namespace

TEST_CASE("STL-10 is read with its rows from the top and channels last") {
  KeptFiles const files{"stl10_binary"};
  data::Stl10 const set = data::load_stl10(files.folder());
  REQUIRE(set.train.shape() == Shape{2, 96, 96, 3});
  REQUIRE(set.train.labels() == std::vector<int>{9, 0});
  REQUIRE(shaded(set.train, 0));
  REQUIRE(shaded(set.train, 1));
  REQUIRE(set.test.labels() == std::vector<int>{2});
  REQUIRE(set.class_names[9] == "truck");
  data::Dataset const unlabeled = data::load_stl10_unlabeled(files.folder());
  REQUIRE(unlabeled.size() == 2);
  REQUIRE_FALSE(unlabeled.labelled());
  REQUIRE(shaded(unlabeled, 1));
}

TEST_CASE("a wrong folder of STL-10 is refused by the file that is wrong") {
  KeptFiles const files{"stl10_binary"};
  auto const refused = [&](std::string const& part) {
    REQUIRE_THROWS_WITH(data::load_stl10(files.folder()), contains("load_stl10") && contains(part));
  };
  SECTION("labels missing") {
    std::filesystem::remove(files / "test_y.bin");
    refused("test_y.bin', got no such file; the binary version");
  }
  SECTION("pictures missing") {
    std::filesystem::remove(files / "train_X.bin");
    refused("train_X.bin'");
  }
  SECTION("truncated") {
    files.cut("train_X.bin", 1);
    refused("pictures of 27648 bytes");
  }
  SECTION("empty") {
    files.cut("test_X.bin", 27648);
    refused("got 0 bytes");
  }
  SECTION("a label too many") {
    files.cut("train_X.bin", 27648);
    refused("1 labels of a byte");
  }
  SECTION("a label out of range") {
    for (std::byte const label : {std::byte{0}, std::byte{11}}) {
      files.edit("train_y.bin", [&](std::vector<std::byte>& bytes) { bytes[1] = label; });
      refused("labels in 1..10");
    }
  }
}
