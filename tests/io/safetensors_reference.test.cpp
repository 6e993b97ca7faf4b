// Case by case what the reference implementation reads and refuses (the safetensors package 0.8.0 of Python,
// safetensors.deserialize on these bytes), and what is read and refused here.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <tests/io/safetensors_bytes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/safetensors.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using io::Dtype;
using io::SafetensorsFile;

namespace {

struct ReferenceCase {
  std::string what;
  std::vector<std::byte> bytes;
};

bool is_read(std::vector<std::byte> const& bytes) {
  try {
    (void)SafetensorsFile::parse(bytes, "case");
    return true;
  } catch (FileError const&) {
    return false;
  }
}

std::string const w = entry("w", "F32", "[1]", "[0,4]");
std::string const nul(1, '\0');

ReferenceCase one(std::string const& what, std::string const& shape, std::string const& offsets,
                  std::size_t data, std::string const& dtype = "F32") {
  return {what, file_of("{" + entry("w", dtype, shape, offsets) + "}", data)};
}
ReferenceCase two(std::string const& what, std::string const& first, std::string const& second,
                  std::size_t data) {
  return {what, file_of("{" + first + "," + second + "}", data)};
}

std::vector<ReferenceCase> read_by_both() {
  return {
      {"one tensor", file_of("{" + w + "}", 4)},
      {"nothing", file_of("{}", 0)},
      {"nothing, padded", file_of("{}      ", 0)},
      {"metadata null", file_of(R"({"__metadata__":null,)" + w + "}", 4)},
      {"metadata null alone", file_of(R"({"__metadata__":null})", 0)},
      {"metadata empty", file_of(R"({"__metadata__":{},)" + w + "}", 4)},
      {"metadata last", file_of("{" + w + R"(,"__metadata__":{"a":"b"}})", 4)},
      {"padding by spaces", file_of("{" + w + "}   ", 4)},
      {"padding by other space", file_of("{" + w + "}\t\n\r", 4)},
      {"a header that is no multiple of 8", file_of("{" + w + "} ", 4)},
      {"a field that nobody knows",
       file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4)},
      {"a field with much below it",
       file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":{"y":[[1]]}}})", 4)},
      two("the second first", entry("b", "F32", "[1]", "[4,8]"), entry("a", "F32", "[1]", "[0,4]"), 8),
      two("data that is not aligned", entry("a", "U8", "[1]", "[0,1]"), entry("b", "F32", "[1]", "[1,5]"), 5),
      one("an empty tensor", "[0]", "[0,0]", 0),
      two("an empty tensor before another", entry("w", "F32", "[0,3]", "[0,0]"),
          entry("b", "F32", "[1]", "[0,4]"), 4),
      two("an empty tensor behind another", entry("b", "F32", "[1]", "[0,4]"),
          entry("w", "F32", "[2,0]", "[4,4]"), 4),
      one("an empty tensor of large extents", "[0,9223372036854775807,9223372036854775807]", "[0,0]", 0),
      one("a large extent, then none", "[4611686018427387904,0]", "[0,0]", 0),
      one("a scalar", "[]", "[0,4]", 4),
      {"a tensor without a name", file_of("{" + entry("", "F32", "[1]", "[0,4]") + "}", 4)},
      {"a NUL in a name", file_of("{" + entry("a\\u0000b", "F32", "[1]", "[0,4]") + "}", 4)},
      {"a name in UTF-8", file_of("{" + entry("\xc3\xa4", "F32", "[1]", "[0,4]") + "}", 4)},
      one("BOOL", "[2]", "[0,2]", 2, "BOOL"),
      one("U8", "[2]", "[0,2]", 2, "U8"),
      one("I8", "[2]", "[0,2]", 2, "I8"),
      one("I16", "[2]", "[0,4]", 4, "I16"),
      one("U16", "[2]", "[0,4]", 4, "U16"),
      one("F16", "[2]", "[0,4]", 4, "F16"),
      one("BF16", "[2]", "[0,4]", 4, "BF16"),
      one("I32", "[2]", "[0,8]", 8, "I32"),
      one("U32", "[2]", "[0,8]", 8, "U32"),
      one("I64", "[2]", "[0,16]", 16, "I64"),
      one("U64", "[2]", "[0,16]", 16, "U64"),
      one("F64", "[2]", "[0,16]", 16, "F64"),
      one("C64", "[2]", "[0,16]", 16, "C64"),
      one("F8_E4M3", "[2]", "[0,2]", 2, "F8_E4M3"),
      one("F8_E5M2", "[2]", "[0,2]", 2, "F8_E5M2"),
      one("F8_E8M0", "[2]", "[0,2]", 2, "F8_E8M0"),
      one("F8_E4M3FNUZ", "[2]", "[0,2]", 2, "F8_E4M3FNUZ"),
      one("F8_E5M2FNUZ", "[2]", "[0,2]", 2, "F8_E5M2FNUZ"),
      one("F4, two a byte", "[2]", "[0,1]", 1, "F4"),
      one("F4, none", "[0]", "[0,0]", 0, "F4"),
      one("F6_E2M3, four in three bytes", "[4]", "[0,3]", 3, "F6_E2M3"),
      one("F6_E3M2, eight in six bytes", "[2,4]", "[0,6]", 6, "F6_E3M2"),
  };
}

std::vector<ReferenceCase> refused_by_both() {
  std::string deep = R"({"w":)" + std::string(200, '[') + std::string(200, ']') + "}";
  return {
      {"no bytes", {}},
      {"seven bytes", std::vector<std::byte>(7)},
      {"a header of no bytes", std::vector<std::byte>(8)},
      {"an array", file_of("[]", 0)},
      {"null", file_of("null", 0)},
      {"a NUL behind the header", file_of("{" + w + "}" + nul, 4)},
      {"a NUL and rubbish behind the header", file_of("{" + w + "}" + nul + "rubbish", 4)},
      {"a NUL amid the header", file_of("{" + nul + w + "}", 4)},
      {"rubbish behind the header", file_of("{" + w + "}x", 4)},
      {"a form feed behind the header", file_of("{" + w + "}\f", 4)},
      {"a byte that is no UTF-8 behind the header", file_of("{" + w + "}\xff", 4)},
      {"a byte order mark", file_of("\xef\xbb\xbf{" + w + "}", 4)},
      {"a comment", file_of("{/*x*/" + w + "}", 4)},
      {"a comma too many", file_of("{" + w + ",}", 4)},
      {"a header that ends early", file_of("{" + w + "} ", 4, w.size() + 1)},
      {"a header beyond the file", file_of("{}", 0, 3)},
      {"a header beyond all files", file_of("{}", 0, ~std::uint64_t{0})},
      {"JSON without end", file_of(deep, 0)},
      {"metadata of numbers", file_of(R"({"__metadata__":{"a":1},)" + w + "}", 4)},
      {"metadata of null", file_of(R"({"__metadata__":{"a":null},)" + w + "}", 4)},
      {"metadata of one string", file_of(R"({"__metadata__":"x",)" + w + "}", 4)},
      {"metadata in an array", file_of(R"({"__metadata__":[],)" + w + "}", 4)},
      {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{},)" + w + "}", 4)},
      {"a dtype twice",
       file_of(R"({"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4)},
      {"no shape", file_of(R"({"w":{"dtype":"F32","data_offsets":[0,4]}})", 4)},
      {"no dtype", file_of(R"({"w":{"shape":[1],"data_offsets":[0,4]}})", 4)},
      {"no offsets", file_of(R"({"w":{"dtype":"F32","shape":[1]}})", 4)},
      {"a tensor that is null", file_of(R"({"w":null})", 0)},
      {"a tensor that is a number", file_of(R"({"w":1})", 0)},
      one("three offsets", "[1]", "[0,4,4]", 4),
      one("one offset", "[1]", "[0]", 4),
      one("offsets null", "[1]", "null", 4),
      one("an offset beyond all files", "[1]", "[0,18446744073709551615]", 4),
      one("an offset of -0", "[1]", "[-0,4]", 4),
      one("a beginning behind the end", "[0]", "[4,0]", 4),
      two("a hole", entry("a", "F32", "[1]", "[0,4]"), entry("b", "F32", "[1]", "[8,12]"), 12),
      one("a hole at the start", "[1]", "[4,8]", 8),
      two("an overlap", entry("a", "F32", "[2]", "[0,8]"), entry("b", "F32", "[1]", "[4,8]"), 8),
      two("the same bytes twice", entry("a", "F32", "[1]", "[0,4]"), entry("b", "F32", "[1]", "[0,4]"), 4),
      two("an empty tensor inside another", entry("b", "F32", "[2]", "[0,8]"),
          entry("w", "F32", "[0]", "[4,4]"), 8),
      one("a byte too many", "[1]", "[0,4]", 5),
      one("a byte too few", "[1]", "[0,4]", 3),
      one("a scalar of no bytes", "[]", "[0,0]", 0),
      one("extents that overflow, then none", "[9223372036854775807,9223372036854775807,0]", "[0,0]", 0),
      one("a size that overflows", "[4611686018427387904]", "[0,0]", 0),
      one("an extent of 2^64", "[0,18446744073709551616]", "[0,0]", 0),
      one("an extent of 1.0", "[1.0]", "[0,4]", 4),
      one("an extent of 1e0", "[1e0]", "[0,4]", 4),
      one("an extent below zero", "[-1]", "[0,4]", 4),
      one("an extent of -0", "[-0]", "[0,0]", 0),
      one("an extent in quotes", R"(["1"])", "[0,4]", 4),
      one("an extent that is true", "[true]", "[0,4]", 4),
      one("a shape in a shape", "[[1]]", "[0,4]", 4),
      one("a shape that is null", "null", "[0,4]", 4),
      one("a dtype in small letters", "[1]", "[0,4]", 4, "f32"),
      one("a dtype of no such name", "[2]", "[0,2]", 2, "F8_E3M4"),
      one("F4 that ends inside a byte", "[3]", "[0,2]", 2, "F4"),
      one("F4, a scalar", "[]", "[0,1]", 1, "F4"),
      one("F6 that ends inside a byte", "[2]", "[0,2]", 2, "F6_E2M3"),
      {"half a pair of code units in a name",
       file_of("{" + entry("a\\ud800b", "F32", "[1]", "[0,4]") + "}", 4)},
      {"a control character in a name", file_of("{" +
                                                    entry("a\x01"
                                                          "b",
                                                          "F32", "[1]", "[0,4]") +
                                                    "}",
                                                4)},
      {"a name that is no UTF-8", file_of("{" + entry("a\xff", "F32", "[1]", "[0,4]") + "}", 4)},
      {"a name in overlong UTF-8", file_of("{" + entry("a\xc0\x80", "F32", "[1]", "[0,4]") + "}", 4)},
  };
}

/// The format forbids the first four ("Duplicate keys are disallowed", "MUST begin with a {"); the others
/// come of how the reference reads JSON, and of our extents, which end at 2^63.
std::vector<ReferenceCase> read_by_the_reference_alone() {
  return {
      {"a name twice", file_of("{" + w + "," + w + "}", 4)},
      {"a key of the metadata twice", file_of(R"({"__metadata__":{"a":"1","a":"2"},)" + w + "}", 4)},
      {"space before the header", file_of(" {" + w + "}", 4)},
      {"a new line before the header", file_of("\n{" + w + "}", 4)},
      {"a field that nobody knows, twice",
       file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1,"x":2}})", 4)},
      {"a tensor described by an array", file_of(R"({"w":["F32",[1],[0,4]]})", 4)},
      {"a dtype in an object",
       file_of(R"({"w":{"dtype":{"F32":null},"shape":[1],"data_offsets":[0,4]}})", 4)},
      one("an extent of 2^63 in an empty tensor", "[0,9223372036854775808]", "[0,0]", 0),
  };
}

}  // namespace

TEST_CASE("What the reference implementation of safetensors reads is read", "[io][safetensors]") {
  for (ReferenceCase const& example : read_by_both()) {
    INFO(example.what);
    CHECK(is_read(example.bytes));
  }
}

TEST_CASE("What the reference implementation of safetensors refuses is refused", "[io][safetensors]") {
  for (ReferenceCase const& example : refused_by_both()) {
    INFO(example.what);
    CHECK_FALSE(is_read(example.bytes));
  }
  for (ReferenceCase const& example : read_by_the_reference_alone()) {
    INFO(example.what);
    CHECK_FALSE(is_read(example.bytes));
  }
}

TEST_CASE("Tensors of every dtype may stand beside the one that is asked for", "[io][safetensors]") {
  std::string json = "{";
  std::size_t end = 0;
  for (char const* const dtype :
       {"BOOL", "F8_E4M3", "F8_E5M2", "I8", "I16", "U16", "U32", "U64", "C64", "F4"}) {
    std::size_t const bytes = io::dtype_bits(*io::dtype_from_name(dtype)) * 2 / 8;
    json +=
        entry(dtype, dtype, "[2]", "[" + std::to_string(end) + "," + std::to_string(end + bytes) + "]") + ",";
    end += bytes;
  }
  json += entry("w", "F32", "[]", "[" + std::to_string(end) + "," + std::to_string(end + 4) + "]") + "}";
  std::vector<std::byte> bytes = file_of(json, end + 4);
  float const stored = 2.5F;
  std::memcpy(bytes.data() + bytes.size() - 4, &stored, 4);

  SafetensorsFile const file = SafetensorsFile::parse(bytes, "mixed");
  CHECK(file.names().size() == 11);
  CHECK(file.values<float>("w") == std::vector<float>{2.5F});
  CHECK(file.values<std::int64_t>("U16") == std::vector<std::int64_t>{0, 0});
  CHECK(file.dtype("F8_E4M3") == Dtype::F8_E4M3);
  CHECK(file.size("F4") == 2);
  CHECK(file.bytes("C64").size() == 16);
  CHECK_THROWS_WITH(file.values<float>("F8_E5M2"),
                    contains("a dtype that is converted to numbers in 'F8_E5M2' of 'mixed', got F8_E5M2"));
}
