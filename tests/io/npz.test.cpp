#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/io/npz.hpp>

using namespace diffsiam;

namespace {

/// A file of tests/io/files/numpy, which numpy wrote.
std::filesystem::path numpys_archive(std::string const& name) {
  return std::filesystem::path{DIFFSIAM_TEST_DATA} / "../io/files/numpy" / name;
}

/// A copy of such an archive in which the byte at `at` behind each `mark` is `value`.
void write_changed(std::filesystem::path const& to, std::string const& name, std::string const& mark,
                   std::size_t at, std::string const& value) {
  std::string text = test::read_text(numpys_archive(name));
  for (std::size_t found = text.find(mark); found != std::string::npos; found = text.find(mark, found + 1))
    text.replace(found + at, value.size(), value);
  io::write_file(to, text);
}

/// What the headers of the directory of a zip archive begin with.
std::string const directory_mark = "PK\1\2";

}  // namespace

TEST_CASE("all arrays of numpy's savez are read") {
  auto const arrays = io::read_npz(numpys_archive("stored.npz"));
  REQUIRE(arrays.size() == 2);
  REQUIRE(arrays.at("images").shape == std::vector<std::int64_t>{2, 3, 4, 3});
  REQUIRE(arrays.at("images").values<int>()[71] == 71);
  REQUIRE(arrays.at("labels").values<int>() == std::vector<int>{7, 0});
}

TEST_CASE("one array of numpy's savez_compressed is read, whatever the others are") {
  io::NpyArray const masks = io::read_npz(numpys_archive("deflated.npz"), "imgs");
  REQUIRE(masks.shape == std::vector<std::int64_t>{3, 4, 4});
  REQUIRE(masks.values<int>()[1] == 1);
  io::NpzFile file{numpys_archive("deflated.npz")};
  REQUIRE(file.names() == std::vector<std::string>{"imgs", "metadata"});
  REQUIRE_FALSE(file.contains("imgs.npy"));
  REQUIRE_THROWS_WITH(io::read_npz(numpys_archive("deflated.npz")),
                      test::contains("'metadata' of") && test::contains("Python objects, pickled"));
  REQUIRE_THROWS_WITH(file.read("latents"),
                      test::contains("'latents' of") && test::contains("2 arrays without it"));
}

TEST_CASE("arrays in Fortran order are put in row-major order out of an archive, too") {
  io::NpyArray const planes = io::read_npz(numpys_archive("planes.npz"), "x");
  REQUIRE(planes.shape == std::vector<std::int64_t>{2, 3, 3, 4});
  std::vector<float> const values = planes.values<float>();
  REQUIRE(values[0] == -1.0F);
  REQUIRE(values[1] == test::Approx(3 / 127.5 - 1));   // the next pixel of the red plane
  REQUIRE(values[12] == test::Approx(1 / 127.5 - 1));  // the first pixel of the green plane
}

TEST_CASE("more bytes than the limit are not unpacked") {
  std::filesystem::path const path = numpys_archive("stored.npz");  // 200 and 144 bytes with their headers
  REQUIRE(io::read_npz(path, {.max_bytes = 344}).size() == 2);
  REQUIRE_THROWS_WITH(
      io::read_npz(path, {.max_bytes = 343}),
      test::contains("at most 143 bytes in 'labels' of") && test::contains("NpzLimits::max_bytes"));
}

TEST_CASE("an archive that lies about its members is refused") {
  test::Scratch const scratch;
  using test::contains;
  std::filesystem::path const path = scratch / "lie.npz";
  SECTION("more than deflate can make of it") {
    write_changed(path, "deflated.npz", directory_mark, 24, {'\0', '\0', '\0', '\x40'});
    REQUIRE_THROWS_WITH(io::read_npz(path, "imgs"),
                        contains("than deflate can make") && contains("1073741824"));
  }
  SECTION("more than there is") {
    write_changed(path, "deflated.npz", directory_mark, 24, {'\xb1', '\0', '\0', '\0'});
    REQUIRE_THROWS_AS(io::read_npz(path, "imgs"), FileError);
  }
  SECTION("less than there is") {
    write_changed(path, "deflated.npz", directory_mark, 24, {'\xaf', '\0', '\0', '\0'});
    REQUIRE_THROWS_AS(io::read_npz(path, "imgs"), FileError);
  }
  SECTION("another check sum") {
    write_changed(path, "stored.npz", directory_mark, 16, "abcd");
    REQUIRE_THROWS_WITH(io::read_npz(path, "images"), contains("'images' of") && contains("CRC"));
  }
  SECTION("another method") {
    write_changed(path, "stored.npz", directory_mark, 10, "\x0c");
    REQUIRE_THROWS_WITH(io::read_npz(path, "images"),
                        contains("stored or deflated") && contains("method 12"));
  }
  SECTION("encrypted") {
    write_changed(path, "stored.npz", directory_mark, 8, "\1");
    REQUIRE_THROWS_WITH(io::read_npz(path, "images"), contains("encrypted"));
  }
  SECTION("one name twice") {
    write_changed(path, "planes.npz", "y.npy", 0, "x.npy");
    REQUIRE_THROWS_WITH(io::read_npz(path), contains("every array once") && contains("'x' twice"));
  }
  SECTION("no archive") {
    io::write_file(path, "no archive");
    REQUIRE_THROWS_WITH(io::read_npz(path), contains("lie.npz' to be an .npz"));
    REQUIRE_THROWS_WITH(io::read_npz(scratch / "none.npz"), contains("No such file"));
    REQUIRE_THROWS_WITH(io::read_npz(scratch.folder()), contains("regular file"));
  }
}

TEST_CASE("whatever happens to the bytes of an .npz, it is read or refused") {
  test::Scratch const scratch;
  std::filesystem::path const path = scratch / "mutant.npz";
  for (char const* const name : {"stored.npz", "planes.npz"}) {
    std::vector<std::byte> const original = io::read_file(numpys_archive(name));
    int refused = 0;
    for (std::uint64_t round = 0; round < 300; ++round) {
      Rng const rng{.seed = 5, .stream = 3, .step = round};
      std::vector<std::byte> bytes = original;
      std::uint32_t const edits = 1 + rng.below(3, 0);
      for (std::uint64_t edit = 0; edit < edits; ++edit) {
        auto const words = rng.words(1 + edit);
        bytes[words[0] % bytes.size()] = static_cast<std::byte>(words[1]);
        if (words[2] % 16 == 0) bytes.resize(1 + words[3] % bytes.size());
      }
      io::write_file(path, bytes);
      try {
        (void)io::read_npz(path, {.max_bytes = 1 << 16});
      } catch (FileError const&) {
        ++refused;
      }
    }
    REQUIRE(refused > 100);
  }
}
