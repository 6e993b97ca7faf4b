#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/io/npy.hpp>

using namespace diffsiam;

namespace {

/// A file of tests/io/files/numpy, which numpy wrote.
std::filesystem::path numpys(std::string const& name) {
  return std::filesystem::path{DIFFSIAM_TEST_DATA} / "../io/files/numpy" / name;
}

/// A file of version 1.0 with this header, padded to nothing, and `data` bytes of zeros.
std::vector<std::byte> npy_bytes(std::string const& header, std::size_t data = 0) {
  std::string text = "\x93NUMPY";
  text += {'\1', '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  text += header + std::string(data, '\0');
  auto const bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// The message with which these bytes are refused; "" when they are read.
std::string npy_refusal(std::vector<std::byte> const& bytes) {
  return test::message_of<FileError>([&] { (void)io::parse_npy(bytes, "some.npy"); });
}

std::vector<double> even_steps(double first, double step, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(first + step * i);
  return values;
}

}  // namespace

TEST_CASE("numpy's arrays are read in every dtype of numbers") {
  struct Case {
    char const* name;
    io::Dtype dtype;
    double first, step;
  };
  for (Case const& c :
       {Case{"u1", io::Dtype::U8, 0, 1}, Case{"u2", io::Dtype::U16, 0, 1}, Case{"u4", io::Dtype::U32, 0, 1},
        Case{"u8", io::Dtype::U64, 0, 1}, Case{"i1", io::Dtype::I8, -2, 1}, Case{"i2", io::Dtype::I16, -2, 1},
        Case{"i4", io::Dtype::I32, -2, 1}, Case{"i8", io::Dtype::I64, -2, 1},
        Case{"f2", io::Dtype::F16, -0.5, 0.25}, Case{"f4", io::Dtype::F32, -0.5, 0.25},
        Case{"f8", io::Dtype::F64, -0.5, 0.25}}) {
    INFO(c.name);
    io::NpyArray const array = io::read_npy(numpys(std::string(c.name) + ".npy"));
    REQUIRE(array.dtype == c.dtype);
    REQUIRE(array.shape == std::vector<std::int64_t>{2, 3});
    REQUIRE(array.size() == 6);
    REQUIRE(array.values<double>() == even_steps(c.first, c.step, 6));
  }
  REQUIRE(io::read_npy(numpys("b1.npy")).values<std::uint8_t>() ==
          std::vector<std::uint8_t>{0, 1, 0, 1, 0, 1});
}

TEST_CASE("an array of numpy is the same in any byte order, memory order and version") {
  for (char const* const name :
       {"big_endian.npy", "fortran.npy", "big_endian_fortran.npy", "version_2.npy", "version_3.npy"}) {
    INFO(name);
    io::NpyArray const array = io::read_npy(numpys(name));
    REQUIRE(array.shape == std::vector<std::int64_t>{2, 3, 4});
    REQUIRE(array.values<double>() == even_steps(0, 1, 24));
  }
}

TEST_CASE("numpy's arrays of no axis, of one and of no element are read") {
  io::NpyArray const scalar = io::read_npy(numpys("scalar.npy"));
  REQUIRE(scalar.shape.empty());
  REQUIRE(scalar.values<float>() == std::vector<float>{2.5F});
  REQUIRE(io::read_npy(numpys("one_axis.npy")).values<int>() == std::vector<int>{0, 1, 2});
  io::NpyArray const empty = io::read_npy(numpys("empty.npy"));
  REQUIRE(empty.shape == std::vector<std::int64_t>{0, 3});
  REQUIRE(empty.values<float>().empty());
}

TEST_CASE("what is no array of numbers is refused by what it is") {
  using test::contains;
  REQUIRE_THROWS_WITH(io::read_npy(numpys("objects.npy")), contains("objects.npy") &&
                                                               contains("Python objects, pickled ('|O')") &&
                                                               contains("a pickle can run any program"));
  REQUIRE_THROWS_WITH(io::read_npy(numpys("records.npy")), contains("a structured dtype"));
  REQUIRE_THROWS_WITH(io::read_npy(numpys("complex.npy")),
                      contains("a dtype of numbers") && contains("'<c8'"));
  REQUIRE_THROWS_WITH(io::read_npy(numpys("text.npy")), contains("'<U2'"));
  REQUIRE_THROWS_WITH(io::read_npy(numpys("stored.npz")), contains("a zip archive") && contains("read_npz"));
  REQUIRE_THROWS_WITH(io::read_npy(numpys("none.npy")), contains("none.npy") && contains("No such file"));
}

TEST_CASE("numbers that a type cannot hold are refused with their index") {
  REQUIRE_THROWS_WITH(io::read_npy(numpys("i4.npy")).values<std::uint8_t>(),
                      test::contains("U8 can hold") && test::contains("-2 at index 0"));
  REQUIRE_THROWS_WITH(io::read_npy(numpys("f4.npy")).values<int>(), test::contains("-0.5 at index 0"));
}

TEST_CASE("what is written is what numpy writes, byte for byte") {
  test::Scratch const scratch;
  auto const same = [&](char const* name, auto const& values, std::vector<std::int64_t> const& shape) {
    INFO(name);
    io::write_npy(scratch / "mine.npy", shape, values);
    REQUIRE(test::read_text(scratch / "mine.npy") == test::read_text(numpys(name)));
  };
  same("f4.npy", std::vector<float>{-0.5F, -0.25F, 0, 0.25F, 0.5F, 0.75F}, {2, 3});
  same("f8.npy", std::vector<double>{-0.5, -0.25, 0, 0.25, 0.5, 0.75}, {2, 3});
  same("i4.npy", std::vector<std::int32_t>{-2, -1, 0, 1, 2, 3}, {2, 3});
  same("i8.npy", std::vector<std::int64_t>{-2, -1, 0, 1, 2, 3}, {2, 3});
  same("u1.npy", std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5}, {2, 3});
  same("one_axis.npy", std::vector<std::int64_t>{0, 1, 2}, {3});
  same("scalar.npy", std::vector<float>{2.5F}, {});
  same("empty.npy", std::vector<float>{}, {0, 3});
}

TEST_CASE("an array whose shape does not fit is not written") {
  test::Scratch const scratch;
  std::vector<float> const values(6);
  REQUIRE_THROWS_WITH(io::write_npy(scratch / "a.npy", {2, 4}, values),
                      test::contains("as many values as [2, 4] says") && test::contains("got 6"));
  REQUIRE_THROWS_AS(io::write_npy(scratch / "a.npy", {-2, -3}, values), ShapeError);
  REQUIRE_THROWS_AS(io::write_npy(scratch / "a.npy", std::vector<std::int64_t>(33, 1), std::vector<float>(1)),
                    ShapeError);
  REQUIRE(scratch.file_count() == 0);
}

TEST_CASE("headers of .npy are read in any order and spacing that Python reads") {
  for (char const* const header : {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
                                   "{\"shape\":(2L,),\"descr\":\"<f4\",\"fortran_order\":False}\n",
                                   "{ 'fortran_order' : True , 'shape' : ( 2 , ) , 'descr' : '<f4' }  \n"}) {
    INFO(header);
    REQUIRE(npy_refusal(npy_bytes(header, 8)).empty());
  }
}

TEST_CASE("a wrong .npy is refused with its name, what was expected and what came") {
  auto const check = [](std::vector<std::byte> const& bytes, std::string const& expected,
                        std::string const& actual) {
    std::string const message = npy_refusal(bytes);
    INFO(message);
    REQUIRE(test::contains(message, "read_npy: expected"));
    REQUIRE(test::contains(message, "some.npy"));
    REQUIRE(test::contains(message, expected));
    REQUIRE(test::contains(message, "got " + actual));
  };
  std::string const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  auto const header = [&](std::string const& from, std::string const& to) {
    std::string text = good;
    return npy_bytes(text.replace(text.find(from), from.size(), to), 24);
  };
  auto const first = [&](std::size_t count) {
    std::vector<std::byte> bytes = npy_bytes(good, 24);
    bytes.resize(count);
    return bytes;
  };
  REQUIRE(npy_refusal(npy_bytes(good, 24)).empty());
  check(first(9), "at least 10 bytes", "9");
  check(first(60), "a header of at most 50 bytes", std::to_string(good.size()));
  check(npy_bytes(good, 23), "as many bytes", "23 behind the header; truncated?");
  check(npy_bytes(good, 25), "F32 [2, 3] needs", "25 behind the header; padded");
  check(std::vector<std::byte>(100), "to begin as a .npy", "other bytes");
  std::vector<std::byte> version = npy_bytes(good, 24);
  version[6] = std::byte{4};
  check(version, "version 1.0, 2.0 or 3.0", "4.0");
  check(header("(2, 3)", "(4611686018427387904, 4)"), "as many bytes", "24");
  check(header("(2, 3)", "(99999999999999999999,)"), "extents below 2^63", "'9999");
  check(header("(2, 3)", "(-2, 3)"), "whole and not negative extents", "'-2, 3)");
  check(header("(2, 3)", "(6)"), "a comma behind the only extent", "none");
  check(header("(2, 3)", "(2 3)"), "a comma between extents", "'3)");
  check(header("(2, 3)", "[2, 3]"), "a shape in parentheses", "'[2, 3]");
  check(header("'shape'", "'shapes'"), "the names descr, fortran_order and shape", "'shapes'");
  check(header("'shape'", "'descr'"), "every name once", "'descr' twice");
  check(header("False", "0"), "True or False", "'0,");
  check(header("'<f4'", "'=f4'"), "a dtype of numbers", "'=f4'");
  check(header("'<f4'", "'|f4'"), "a dtype of numbers", "'|f4'");
  check(header("'<f4'", "''"), "a dtype of numbers", "''");
  check(header("'<f4'", "f4"), "a string", "'f4,");
  check(header(", }", ""), "a comma or the end of the dict", "its end");
  check(header(", 'shape': (2, 3), }", "}"), "the names descr, fortran_order and shape",
        "a header that lacks one");
  check(header("}", "} + x"), "nothing but spaces behind the dict", "'+ x'");
  check(npy_bytes("{'descr"), "a string that ends", "''descr'");
}

TEST_CASE("whatever happens to the bytes of a .npy, it is read exactly or refused") {
  std::vector<std::byte> const original = io::read_file(numpys("big_endian_fortran.npy"));
  int refused = 0;
  for (std::uint64_t round = 0; round < 3000; ++round) {
    Rng const rng{.seed = 5, .stream = 2, .step = round};
    std::vector<std::byte> bytes = original;
    std::uint32_t const edits = 1 + rng.below(3, 0);
    for (std::uint64_t edit = 0; edit < edits; ++edit) {
      auto const words = rng.words(1 + edit);
      bytes[words[0] % 100] = static_cast<std::byte>(words[1]);
      if (words[2] % 4 == 0) bytes.resize(100 + words[3] % 300);
    }
    try {
      io::NpyArray const array = io::parse_npy(bytes, "mutant");
      std::size_t elements = 1;
      for (std::int64_t const extent : array.shape) elements *= static_cast<std::size_t>(extent);
      REQUIRE(array.size() == elements);
    } catch (FileError const&) {
      ++refused;
    }
  }
  REQUIRE(refused > 1500);
}
