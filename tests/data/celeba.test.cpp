#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/data/kept_files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/data/celeba.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/picture_folder.hpp>

using namespace diffsiam;
using data::CelebaPart;
using test::contains;
using test::KeptFiles;

namespace {

/// The folder in one of its two forms: lists that end in `ending` alone.
void keep_lists(KeptFiles const& files, std::string const& ending) {
  std::string const other = ending == ".txt" ? ".csv" : ".txt";
  std::filesystem::remove(files / ("list_attr_celeba" + other));
  std::filesystem::remove(files / ("list_eval_partition" + other));
}

void replace_text(KeptFiles const& files, std::string const& name, std::string const& from,
                  std::string const& to) {
  std::string text = test::read_text(files / name);
  io::write_file(files / name, text.replace(text.find(from), from.size(), to));
}

}  // namespace

TEST_CASE("CelebA's lists are read, as text and as comma-separated values") {
  for (char const* const ending : {".txt", ".csv"}) {
    INFO(ending);
    KeptFiles const files{"celeba"};
    keep_lists(files, ending);
    data::Celeba const celeba = data::load_celeba(files.folder());
    REQUIRE(celeba.size() == 4);
    REQUIRE(celeba.files.paths[3] == "000004.jpg");
    REQUIRE(celeba.attribute_names.size() == 40);
    REQUIRE(celeba.attribute_names[0] == "5_o_Clock_Shadow");
    REQUIRE(celeba.attribute_names[39] == "Young");
    REQUIRE(celeba.attributes.size() == 160);
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t a = 0; a < 40; ++a)
        REQUIRE(celeba.attributes[i * 40 + a] == ((i + a) % 3 == 0 ? 1 : 0));
    REQUIRE(celeba.parts ==
            std::vector{CelebaPart::train, CelebaPart::train, CelebaPart::validation, CelebaPart::test});
    REQUIRE(celeba.positions(CelebaPart::train) == std::vector<Index>{0, 1});
    std::vector<int> const test = celeba.attributes_of(celeba.positions(CelebaPart::test));
    REQUIRE(test == std::vector<int>(celeba.attributes.begin() + 120, celeba.attributes.end()));
    REQUIRE_THROWS_AS(celeba.attributes_of(std::vector<Index>{4}), RangeError);
  }
}

TEST_CASE("CelebA's pictures are cut as published") {
  KeptFiles const files{"celeba"};
  data::Celeba const celeba = data::load_celeba(files.folder());
  data::Dataset const faces{data::PictureFolder{celeba.files, data::celeba_fit(64)}};
  REQUIRE(faces.shape() == Shape{4, 64, 64, 3});
  // Red inside of the box, blue around it; JPEG keeps colours nearly, and mixes them within 8 pixels of an
  // edge.
  for (Index i = 0; i < 4; ++i) {
    std::vector<std::uint8_t> const pixels = faces.pixels(i);
    for (std::size_t y : {0U, 5U, 32U, 58U, 63U})
      for (std::size_t x : {0U, 5U, 32U, 58U, 63U}) {
        std::size_t const at = (y * 64 + x) * 3;
        bool const inner = y > 4 && y < 59 && x > 4 && x < 59;
        REQUIRE(pixels[at] >= (inner ? 250 : 200));
        REQUIRE(std::abs(pixels[at + 1] - 60 * static_cast<int>(i)) <= 10);
        REQUIRE(pixels[at + 2] <= (inner ? 5 : 55));
      }
  }
  // A pixel further out would be blue.
  data::FitConfig wider = data::celeba_fit(130);
  wider.box = data::CropBox{56, 24, 130, 130};
  std::vector<std::uint8_t> const around = data::Dataset{data::PictureFolder{celeba.files, wider}}.pixels(0);
  REQUIRE(around[2] > 200);
  REQUIRE(around[(129 * 130 + 129) * 3 + 2] > 200);
}

TEST_CASE("CelebA without a partition has none, and pictures may stand a folder deeper") {
  KeptFiles const files{"celeba"};
  std::filesystem::remove(files / "list_eval_partition.txt");
  std::filesystem::remove(files / "list_eval_partition.csv");
  std::filesystem::rename(files / "img_align_celeba", files / "inner");
  std::filesystem::create_directory(files / "img_align_celeba");
  std::filesystem::rename(files / "inner", files / "img_align_celeba" / "img_align_celeba");
  data::Celeba const celeba = data::load_celeba(files.folder());
  REQUIRE(celeba.parts.empty());
  REQUIRE_THROWS_WITH(celeba.positions(CelebaPart::test), contains("list_eval_partition"));
  REQUIRE(std::filesystem::exists(celeba.files.folder / celeba.files.paths[0]));
}

TEST_CASE("a wrong folder of CelebA is refused by the file that is wrong") {
  KeptFiles const files{"celeba"};
  keep_lists(files, ".txt");
  auto const refused = [&](std::string const& part) {
    REQUIRE_THROWS_WITH(data::load_celeba(files.folder()), contains("load_celeba") && contains(part));
  };
  auto const change = [&](std::string const& from, std::string const& to) {
    replace_text(files, "list_attr_celeba.txt", from, to);
  };
  SECTION("no list") {
    std::filesystem::remove(files / "list_attr_celeba.txt");
    refused("list_attr_celeba.csv, got no such file");
  }
  SECTION("a picture missing") {
    std::filesystem::remove(files / "img_align_celeba" / "000003.jpg");
    refused("000003.jpg', got no such file");
  }
  SECTION("truncated") {
    files.cut("list_attr_celeba.txt", 131);
    refused("as many pictures as the first line says");
  }
  SECTION("truncated inside of a line") {
    files.cut("list_attr_celeba.txt", 4);
    refused("a file and 40 values");
  }
  SECTION("empty") {
    io::write_file(files / "list_attr_celeba.txt", "");
    refused("as many pictures");
    io::write_file(files / "list_attr_celeba.txt", "0\nYoung\n");
    refused("at least one picture");
  }
  SECTION("another value") {
    change("000002.jpg -1", "000002.jpg  2");
    refused("values 1 and -1");
  }
  SECTION("a picture twice") {
    change("000002.jpg", "000001.jpg");
    refused("'000001.jpg' twice");
  }
  SECTION("a path") {
    change("000002.jpg", "../002.jpg");
    refused("a file and 40 values");
  }
  SECTION("no part of a picture") {
    files.cut("list_eval_partition.txt", 13);
    refused("the part of '000004.jpg'");
  }
  SECTION("another part") {
    replace_text(files, "list_eval_partition.txt", "000004.jpg 2", "000004.jpg 3");
    refused("its part, 0, 1 or 2");
  }
}
