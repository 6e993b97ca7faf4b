#include <tests/data/files.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/idx.hpp>

using namespace diffsiam;
using test::Bytes;
using test::counting;
using test::gzip;
using test::idx_bytes;
using test::Scratch;

namespace {

/// The message with which reading `bytes` as pictures fails; "" when it succeeds.
std::string refusal(Bytes const& bytes, data::IdxLimits const& limits = {}) {
  Scratch const scratch;
  test::write_bytes(scratch / "pictures", bytes);
  return test::message_of<FileError>([&] { (void)data::read_idx_images(scratch / "pictures", limits); });
}

Bytes first(Bytes bytes, std::size_t count) {
  bytes.resize(count);
  return bytes;
}

}  // namespace

TEST_CASE("IDX pictures are read with their extents, plain and gzip alike, whatever the name") {
  Scratch const scratch;
  Bytes const plain = idx_bytes({3, 4, 5}, counting(60));
  test::write_bytes(scratch / "a.gz", plain);
  test::write_bytes(scratch / "b", gzip(plain));
  for (char const* const name : {"a.gz", "b"}) {
    data::ImageSet const set = data::read_idx_images(scratch / name);
    REQUIRE(set.count == 3);
    REQUIRE(set.height == 4);
    REQUIRE(set.width == 5);
    REQUIRE(set.channels == 1);
    REQUIRE(set.pixels == counting(60));
  }
}

TEST_CASE("IDX of rank 4 has channels") {
  Scratch const scratch;
  test::write_bytes(scratch / "rgb", idx_bytes({2, 2, 5, 3}, counting(60)));
  data::ImageSet const set = data::read_idx_images(scratch / "rgb");
  REQUIRE(set.count == 2);
  REQUIRE(set.width == 5);
  REQUIRE(set.channels == 3);
}

TEST_CASE("IDX labels are read as integers") {
  Scratch const scratch;
  test::write_bytes(scratch / "labels", gzip(idx_bytes({4}, {0, 9, 255, 3})));
  REQUIRE(data::read_idx_labels(scratch / "labels") == std::vector<int>{0, 9, 255, 3});
}

TEST_CASE("gzip of several members is one stream") {
  Scratch const scratch;
  Bytes const plain = idx_bytes({3, 4, 5}, counting(60));
  Bytes bytes = gzip({plain.begin(), plain.begin() + 30});
  Bytes const rest = gzip({plain.begin() + 30, plain.end()});
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  test::write_bytes(scratch / "members.gz", bytes);
  REQUIRE(data::read_idx_images(scratch / "members.gz").pixels == counting(60));
}

TEST_CASE("IDX larger than the reader's chunks arrives whole") {
  Scratch const scratch;
  Bytes const values = counting(300 * 28 * 28);
  test::write_bytes(scratch / "large", idx_bytes({300, 28, 28}, values));
  test::write_bytes(scratch / "large.gz", gzip(idx_bytes({300, 28, 28}, values)));
  REQUIRE(data::read_idx_images(scratch / "large").pixels == values);
  REQUIRE(data::read_idx_images(scratch / "large.gz").pixels == values);
}

TEST_CASE("a wrong IDX file is refused with its name, what was expected and what came") {
  using test::contains;
  Bytes const good = idx_bytes({3, 4, 5}, counting(60));
  auto const check = [](Bytes const& bytes, std::string const& expected, std::string const& actual) {
    std::string const message = refusal(bytes);
    INFO(message);
    REQUIRE(contains(message, "read_idx_images: expected"));
    REQUIRE(contains(message, "pictures'"));
    REQUIRE(contains(message, expected));
    REQUIRE(contains(message, "got " + actual));
  };
  SECTION("empty") {
    check({}, "4 magic bytes", "0 bytes");
  }
  SECTION("magic cut") {
    check(first(good, 3), "4 magic bytes", "3 bytes");
  }
  SECTION("extents cut") {
    check(first(good, 11), "12 bytes of extents", "7 bytes");
  }
  SECTION("no values") {
    check(first(good, 16), "60 bytes of values for (3, 4, 5)", "0");
  }
  SECTION("truncated by one") {
    check(first(good, 75), "60 bytes of values", "59");
  }
  SECTION("padded by one") {
    check(first(good, 77), "60 bytes of values", "61");
  }
  SECTION("labels in place of pictures") {
    check(idx_bytes({60}, counting(60)), "0 0 8 3 or 0 0 8 4", "0 0 8 1");
  }
  SECTION("another type") {
    check(idx_bytes({3, 4, 5}, counting(60), 13), "0 0 8 3", "0 0 13 3");
  }
  SECTION("no extent") {
    check(idx_bytes({3, 0, 5}, {}), "extents of at least 1", "0");
  }
  SECTION("extents whose product overflows") {
    check(idx_bytes({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, counting(60)), "at most 1073741824 bytes",
          "(4294967295, 4294967295, 4294967295)");
  }
  SECTION("gzip truncated in the data") {
    check(first(gzip(good), gzip(good).size() - 20), "intact gzip", "the end of the file");
  }
  SECTION("gzip truncated in the check sum") {
    check(first(gzip(good), gzip(good).size() - 6), "intact gzip", "the end of the file");
  }
  SECTION("gzip with a wrong check sum") {
    Bytes bytes = gzip(good);
    bytes[bytes.size() - 8] ^= 1;
    check(bytes, "intact gzip", "incorrect data check");
  }
  SECTION("gzip with a wrong length") {
    Bytes bytes = gzip(good);
    bytes[bytes.size() - 4] ^= 1;
    check(bytes, "intact gzip", "incorrect length check");
  }
  SECTION("gzip with something behind it") {
    Bytes bytes = gzip(good);
    bytes.push_back(7);
    check(bytes, "intact gzip", "");
  }
  SECTION("gzip of too little") {
    check(gzip(first(good, 70)), "60 bytes of values for (3, 4, 5) in", "54");
  }
  SECTION("gzip of too much") {
    check(gzip(first(good, 77)), "60 bytes of values", "more");
  }
}

TEST_CASE("an IDX file above the limit is refused before anything is allocated") {
  Bytes const good = idx_bytes({3, 4, 5}, counting(60));
  REQUIRE(refusal(good, {.max_bytes = 60}).empty());
  std::string const message = refusal(good, {.max_bytes = 59});
  REQUIRE(test::contains(message, "at most 59 bytes"));
  REQUIRE(test::contains(message, "(3, 4, 5)"));
}

TEST_CASE("a gzip bomb is left at the first byte too many") {
  Bytes bytes = idx_bytes({3, 4, 5}, counting(60));
  bytes.resize(std::size_t{1} << 26);  // 64 MiB, in 64 KiB
  Bytes const bomb = gzip(bytes);
  REQUIRE(bomb.size() < 100'000);
  REQUIRE(test::contains(refusal(bomb), "got more"));
}

TEST_CASE("a missing IDX file and a folder are refused by name") {
  Scratch const scratch;
  REQUIRE_THROWS_WITH(data::read_idx_labels(scratch / "none"), test::contains("read_idx_labels") &&
                                                                   test::contains("none'") &&
                                                                   test::contains("No such file"));
  REQUIRE_THROWS_WITH(data::read_idx_images(scratch.folder()), test::contains("regular file"));
}

TEST_CASE("whatever happens to the bytes of an IDX file, it is read exactly or refused") {
  Scratch const scratch;
  std::filesystem::path const path = scratch / "mutant";
  Bytes const plain = idx_bytes({3, 4, 5}, counting(60));
  int refused = 0;
  for (Bytes const& original : {plain, gzip(plain)}) {
    for (std::uint64_t round = 0; round < 1500; ++round) {
      Rng const rng{.seed = 5, .stream = 1, .step = round};
      Bytes bytes = original;
      std::uint32_t const edits = 1 + rng.below(3, 0);
      for (std::uint64_t edit = 0; edit < edits; ++edit) {
        auto const words = rng.words(1 + edit);
        auto const at = static_cast<std::size_t>(words[0] % bytes.size());
        switch (words[1] % 4) {
          case 0:
            bytes[at] = static_cast<std::uint8_t>(words[2]);
            break;
          case 1:
            bytes[at] ^= static_cast<std::uint8_t>(1U << (words[2] % 8));
            break;
          case 2:
            bytes.resize(at + 1);
            break;
          default:
            bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                         static_cast<std::uint8_t>(words[2]));
        }
      }
      test::write_bytes(path, bytes);
      try {
        data::ImageSet const set = data::read_idx_images(path, {.max_bytes = 1000});
        REQUIRE(static_cast<Index>(set.pixels.size()) == set.count * set.height * set.width * set.channels);
        REQUIRE(set.pixels.size() <= 1000);
      } catch (FileError const&) {
        ++refused;
      }
    }
  }
  REQUIRE(refused > 1000);  // many edits of values alone are not errors
}
