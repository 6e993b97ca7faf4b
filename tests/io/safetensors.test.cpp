#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <tests/io/safetensors_bytes.hpp>
#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/safetensors.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using io::Dtype;
using io::SafetensorsFile;
using io::SafetensorsWriter;

namespace {

using Ints = std::vector<std::int64_t>;

std::string parse_error(std::vector<std::byte> const& bytes) {
  return message_of<FileError>([&] { (void)SafetensorsFile::parse(bytes, "bad.safetensors"); });
}

SafetensorsWriter small_writer() {
  SafetensorsWriter writer;
  writer.add("weight", Dtype::F32, {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  writer.add("half", Dtype::F16, {3}, std::vector<double>{0.5, -2.0, 65504.0});
  writer.add("brain", Dtype::BF16, {1, 1, 1, 1, 2}, std::vector<float>{1.5F, -3.0F});
  writer.add("double", Dtype::F64, {2}, std::vector<double>{0.1, 1e300});
  writer.add("steps", Dtype::I64, {}, Ints{1234567890123});
  writer.add("labels", Dtype::U8, {3}, Ints{0, 7, 255});
  writer.add("index", Dtype::I32, {2}, Ints{-5, 2147483647});
  writer.add("nothing", Dtype::F32, {0, 4}, std::vector<float>{});
  writer.metadata("case", "round trip");
  writer.metadata("config", R"({"name":"\"quoted\"","k":16})");
  return writer;
}

}  // namespace

TEST_CASE("what is written as safetensors is read back", "[io][safetensors]") {
  Scratch const scratch;
  small_writer().write(scratch / "a.safetensors");
  SafetensorsFile const file = SafetensorsFile::read(scratch / "a.safetensors");
  CHECK(file.names() ==
        std::vector<std::string>{"brain", "double", "half", "index", "labels", "nothing", "steps", "weight"});
  CHECK(file.contains("weight"));
  CHECK_FALSE(file.contains("bias"));
  CHECK(file.dtype("half") == Dtype::F16);
  CHECK(file.shape("brain") == Ints{1, 1, 1, 1, 2});
  CHECK(file.shape("steps").empty());
  CHECK(file.values<float>("weight") == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file.values<double>("half") == std::vector<double>{0.5, -2.0, 65504.0});
  CHECK(file.values<float>("brain") == std::vector<float>{1.5F, -3.0F});
  CHECK(file.values<double>("double") == std::vector<double>{0.1, 1e300});
  CHECK(file.values<std::int64_t>("steps") == Ints{1234567890123});
  CHECK(file.values<double>("labels") == std::vector<double>{0, 7, 255});
  CHECK(file.values<std::int64_t>("index") == Ints{-5, 2147483647});
  CHECK(file.values<std::int64_t>("weight") == Ints{1, 2, 3, 4, 5, 6});
  CHECK(file.values<float>("nothing").empty());
  CHECK(file.metadata().at("config") == R"({"name":"\"quoted\"","k":16})");
  CHECK(scratch.file_count() == 1);
}

TEST_CASE("tensors lie aligned, widest elements first, and equal content gives equal bytes",
          "[io][safetensors]") {
  std::vector<std::byte> const bytes = small_writer().encode();
  CHECK(bytes == small_writer().encode());
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), 8);
  CHECK(size % 8 == 0);
  std::string const json(reinterpret_cast<char const*>(bytes.data()) + 8, size);
  auto const header = io::parse_safetensors_header(json, bytes.size() - 8 - size, "memory");
  for (auto const& [name, tensor] : header.tensors)
    CHECK(tensor.begin * 8 % io::dtype_bits(tensor.dtype) == 0);
  CHECK(header.tensors.at("double").begin == 0);
  CHECK(header.tensors.at("steps").begin == 16);
  CHECK(header.tensors.at("labels").end == bytes.size() - 8 - size);
}

TEST_CASE("a file laid out by another implementation is read", "[io][safetensors]") {
  std::string const json = "{" + entry("b", "F32", "[1]", "[4,8]") +
                           ", \"__metadata__\":{\"format\":\"pt\"}," + entry("a", "F32", "[]", "[0,4]") +
                           "}  ";
  std::vector<std::byte> bytes = file_of(json, 8);
  float const stored[2] = {-1.25F, 8.0F};
  std::memcpy(bytes.data() + bytes.size() - 8, stored, 8);
  SafetensorsFile const file = SafetensorsFile::parse(bytes, "memory");
  CHECK(file.values<float>("a") == std::vector<float>{-1.25F});
  CHECK(file.values<double>("b") == std::vector<double>{8.0});
  CHECK(file.metadata().at("format") == "pt");
  CHECK(SafetensorsFile::parse(file_of("{}", 0), "empty").names().empty());
}

TEST_CASE("files of other kinds are named as what they are, with the way on", "[io][safetensors]") {
  auto const refusal = [](std::string const& text) {
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return parse_error(bytes);
  };
  std::string const zip = refusal(std::string("PK\x03\x04\x00\x00\x08\x08\x00\x00", 10));
  CHECK(contains(zip, "'bad.safetensors' to be a safetensors file, got a zip archive"));
  CHECK(contains(zip, "torch.save"));
  CHECK(contains(zip, "safetensors.torch.save_file(torch.load("));
  std::string const pickle = refusal("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 and more");
  CHECK(contains(pickle, "a pickle of Python"));
  CHECK(contains(pickle, "safetensors.torch.save_file(torch.load("));
  CHECK(contains(refusal("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"));
  // A header of 640 bytes begins as a pickle does.
  CHECK(parse_error(file_of("{}" + std::string(638, ' '), 0)).empty());
}

TEST_CASE("the writer refuses names given twice, wrong counts and names that are not UTF-8",
          "[io][safetensors]") {
  SafetensorsWriter writer;
  writer.add("w", Dtype::F32, {1}, std::vector<float>{1});
  CHECK(contains(message_of<FileError>([&] { writer.add("w", Dtype::F32, {1}, std::vector<float>{1}); }),
                 "'w'"));
  CHECK_THROWS_AS(writer.add("__metadata__", Dtype::F32, {1}, std::vector<float>{1}), FileError);
  std::string const counts =
      message_of<ShapeError>([&] { writer.add("v", Dtype::F32, {2, 3}, std::vector<float>{1, 2}); });
  CHECK(counts == "write_safetensors: expected as many values in 'v' as [2, 3] says, got 2");
  CHECK_THROWS_AS(writer.add("v", Dtype::F32, {-1, -2}, std::vector<float>{1, 2}), ShapeError);
  CHECK_THROWS_AS(writer.add("v", Dtype::F32, {1LL << 62, 1LL << 62}, std::vector<float>{}), ShapeError);
  writer.add("\xff\xfe", Dtype::F32, {1}, std::vector<float>{1});
  CHECK(contains(message_of<FileError>([&] { (void)writer.encode(); }), "UTF-8"));
}

TEST_CASE("asking for what a file does not hold raises FileError with both sides", "[io][safetensors]") {
  SafetensorsFile const file = SafetensorsFile::parse(small_writer().encode(), "some.safetensors");
  std::string const missing = message_of<FileError>([&] { (void)file.shape("bias"); });
  CHECK(
      missing ==
      "read_safetensors: expected a tensor 'bias' in 'some.safetensors', got a file of 8 tensors without it");
  std::string const rank = message_of<FileError>([&] { file.expect_shape("weight", Ints{6}); });
  CHECK(rank == "read_safetensors: expected 'weight' of 'some.safetensors' to have shape [6], got [2, 3]");
  CHECK_THROWS_AS(file.expect_shape("weight", Ints{3, 2}), FileError);
  CHECK_NOTHROW(file.expect_shape("weight", Ints{2, 3}));
  std::vector<float> room(5);
  std::string const size = message_of<FileError>([&] { file.copy_to("weight", std::span(room)); });
  CHECK(contains(size, "5 elements, got 6 in [2, 3]"));
}

TEST_CASE("the first rows of a tensor may be kept", "[io][safetensors]") {
  SafetensorsFile file = SafetensorsFile::parse(small_writer().encode(), "some.safetensors");
  auto const before = file.values<float>("weight");
  file.keep_first_rows("weight", 1);
  CHECK(file.shape("weight") == Ints{1, 3});
  CHECK(file.values<float>("weight") == std::vector<float>(before.begin(), before.begin() + 3));
  for (std::int64_t const rows : {-1, 0, 2})
    CHECK_THROWS_WITH(file.keep_first_rows("weight", rows),
                      contains(std::to_string(rows) + " rows in 'weight'") && contains("got [1, 3]"));
}

TEST_CASE("a file that is truncated, padded or no safetensors file raises FileError", "[io][safetensors]") {
  std::vector<std::byte> const good = small_writer().encode();
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::vector<std::byte> const cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    std::string const message = parse_error(cut);
    if (!contains(message, "bad.safetensors") || !contains(message, "expected"))
      FAIL(size << " bytes: " << message);
  }
  std::vector<std::byte> padded = good;
  padded.push_back(std::byte{0});
  CHECK(contains(parse_error(padded), "tensors that fill the"));
  CHECK(contains(parse_error(file_of("[1]", 0)), "starts with '{'"));
  CHECK(contains(parse_error(file_of("{\"a\":", 0)), "a header of JSON"));
  CHECK(contains(parse_error(file_of("{} x", 0)), "a header of JSON"));
  CHECK(contains(parse_error(file_of("{\"\xff\":1}", 0)), "a header of JSON"));
  CHECK(contains(message_of<FileError>([] { (void)SafetensorsFile::read("/nowhere/x.safetensors"); }),
                 "read_safetensors: expected to open '/nowhere/x.safetensors'"));
}

TEST_CASE("a header longer than its file or than 100 MB raises FileError before memory is taken",
          "[io][safetensors]") {
  CHECK(contains(parse_error(file_of("{}", 0, 3)), "at most 2 bytes in 'bad.safetensors', got 3"));
  CHECK(contains(parse_error(file_of("{}", 0, ~std::uint64_t{0})), "got 18446744073709551615"));
  // A sparse file large enough to bear the promise out must still be refused.
  Scratch const scratch;
  io::write_file(scratch / "huge", std::span<std::byte const>(file_of("{}", 0, 100'000'001)));
  std::filesystem::resize_file(scratch / "huge", 200'000'000);
  CHECK(contains(message_of<FileError>([&] { (void)SafetensorsFile::read(scratch / "huge"); }),
                 "at most 100000000 bytes"));
}

TEST_CASE("lying offsets, overlaps, gaps and sizes that overflow raise FileError", "[io][safetensors]") {
  auto const one = [](std::string const& shape, std::string const& offsets, std::size_t data) {
    return parse_error(file_of("{" + entry("w", "F32", shape, offsets) + "}", data));
  };
  CHECK(one("[2]", "[0,8]", 8).empty());
  CHECK(one("[2]", "[0,12]", 12) ==
        "read_safetensors: expected tensor 'w' of 'bad.safetensors' to have 8 bytes, F32 [2], got 12 by its "
        "data_offsets [0, 12]");
  CHECK(contains(one("[2]", "[0,8]", 7), "within the 7 bytes there are"));
  CHECK(contains(one("[2]", "[8,0]", 8), "within the 8 bytes"));
  CHECK(contains(one("[2]", "[0,18446744073709551615]", 8), "whole and not negative data_offsets"));
  CHECK(contains(one("[2]", "[-8,0]", 8), "whole and not negative data_offsets, got -8"));
  CHECK(contains(one("[2]", "[0,8.0]", 8), "whole and not negative data_offsets"));
  CHECK(contains(one("[2]", "[0]", 8), "two data_offsets"));
  CHECK(contains(one("[2]", "8", 8), "two data_offsets"));
  CHECK(contains(one("[-2]", "[0,8]", 8), "whole and not negative extents"));
  CHECK(contains(one("[2.5]", "[0,8]", 8), "whole and not negative extents"));
  CHECK(contains(one("2", "[0,8]", 8), "a shape that is an array"));
  CHECK(contains(one("[[2]]", "[0,8]", 8), "whole and not negative extents, got array"));
  CHECK(contains(one("[4294967296,4294967296]", "[0,8]", 8), "size below 2^61"));
  CHECK(contains(one("[9223372036854775807,2]", "[0,8]", 8), "size below 2^61"));
  CHECK(contains(one("[1]", "[4,8]", 8),
                 "data from byte 0 on, where the tensor before it ends, got 4 (a gap)"));

  auto const two = [](std::string const& first, std::string const& second, std::size_t data) {
    return parse_error(
        file_of("{" + entry("a", "F32", "[2]", first) + "," + entry("b", "F32", "[2]", second) + "}", data));
  };
  CHECK(two("[0,8]", "[8,16]", 16).empty());
  CHECK(two("[8,16]", "[0,8]", 16).empty());
  CHECK(contains(two("[0,8]", "[4,12]", 12), "'b' of 'bad.safetensors' to have data from byte 8"));
  CHECK(contains(two("[0,8]", "[0,8]", 8), "(an overlap)"));
  CHECK(contains(two("[0,8]", "[9,17]", 17), "(a gap)"));
}

TEST_CASE("unknown dtypes, missing fields, double names and odd metadata raise FileError",
          "[io][safetensors]") {
  CHECK(contains(parse_error(file_of("{" + entry("w", "F8_E3M4", "[2]", "[0,2]") + "}", 2)),
                 "tensor 'w' of 'bad.safetensors' to have a dtype of the format, got 'F8_E3M4'"));
  CHECK(contains(parse_error(file_of(R"({"w":{"shape":[],"data_offsets":[0,4]}})", 4)), "a dtype, got none"));
  CHECK(contains(parse_error(file_of(R"({"w":{"dtype":"F32","data_offsets":[0,4]}})", 4)),
                 "a shape, got none"));
  CHECK(contains(parse_error(file_of(R"({"w":{"dtype":"F32","shape":[]}})", 4)), "a data_offsets, got none"));
  CHECK(
      contains(parse_error(file_of(R"({"w":{"dtype":7,"shape":[],"data_offsets":[0,4]}})", 4)), "a string"));
  CHECK(contains(parse_error(file_of(R"({"w":[1,2]})", 4)), "an object"));
  std::string const w = entry("w", "F32", "[1]", "[0,4]");
  CHECK(contains(parse_error(file_of("{" + w + "," + w + "}", 4)),
                 "every name once in 'bad.safetensors', got 'w'"));
  CHECK(contains(
      parse_error(file_of(R"({"w":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4)),
      "'dtype' twice"));
  CHECK(
      contains(parse_error(file_of(R"({"__metadata__":{"step":3}})", 0)), "metadata 'step' to be a string"));
  CHECK(contains(parse_error(file_of(R"({"__metadata__":"x"})", 0)), "__metadata__ to be an object"));
  CHECK(contains(parse_error(file_of(std::string(100000, '[').replace(0, 5, "{\"a\":"), 0)),
                 "nested too deep"));
  std::string const hostile = parse_error(file_of("{\"" + std::string(5000, 'n') + "\\n\":1}", 0));
  CHECK(hostile.size() < 300);
}

TEST_CASE("a full disk while saving leaves the old safetensors file", "[io][safetensors]") {
  Scratch const scratch;
  small_writer().write(scratch / "model.safetensors");
  std::string const before = read_text(scratch / "model.safetensors");
  SafetensorsWriter larger = small_writer();
  larger.add("more", Dtype::F64, {10000}, std::vector<double>(10000, 1.0));
  std::string const message =
      message_in_child([] { limit_file_size(4096); }, [&] { larger.write(scratch / "model.safetensors"); });
  CHECK(contains(message, "File too large"));
  CHECK(read_text(scratch / "model.safetensors") == before);
  CHECK(scratch.file_count() == 1);
}

TEST_CASE("mutated safetensors files are read or refused with an Error, never worse", "[io][safetensors]") {
  std::vector<std::byte> const good = small_writer().encode();
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, good.data(), 8);
  std::vector<std::string> const tokens{"0",   "1",  "-1", "8",    "4294967296", "9223372036854775807",
                                        "1e9", "[]", "{}", "null", "\"\"",       "true",
                                        "F64", "U8", ",",  "\""};
  std::mt19937_64 random(20240229);
  auto const below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 6000; ++round) {
    std::vector<std::byte> bytes = good;
    for (std::size_t mutations = 1 + below(4); mutations > 0 && !bytes.empty(); --mutations) {
      std::size_t const at =
          below(round % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 8 + header_size));
      auto const place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      switch (below(6)) {
        case 0:
          *place ^= static_cast<std::byte>(1U << below(8));
          break;
        case 1:
          *place = static_cast<std::byte>(below(256));
          break;
        case 2:
          bytes.erase(place,
                      bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), at + 1 + below(9))));
          break;
        case 3:
          bytes.resize(at);
          break;
        case 4: {
          auto const token = std::as_bytes(std::span(tokens[below(tokens.size())]));
          bytes.insert(place, token.begin(), token.end());
          break;
        }
        default: {  // overwrite a digit of the header by another, the mutation most likely to stay plausible
          std::size_t digit = 8 + below(header_size);
          while (digit < bytes.size() && (bytes[digit] < std::byte{'0'} || bytes[digit] > std::byte{'9'}))
            ++digit;
          if (digit < bytes.size()) bytes[digit] = static_cast<std::byte>('0' + below(10));
        }
      }
    }
    if (round % 3 != 0 && bytes.size() >= 8) {  // keep the first 8 bytes honest, so that the JSON is reached
      std::uint64_t const grown = header_size + bytes.size() - good.size();
      std::memcpy(bytes.data(), &grown, 8);
    }
    try {
      SafetensorsFile const file = SafetensorsFile::parse(bytes, "fuzz");
      for (std::string const& name : file.names()) {
        bool const numbers = io::dtype_kind(file.dtype(name)) != io::DtypeKind::opaque;
        if (numbers && file.values<double>(name).size() != file.size(name)) FAIL("wrong size");
        if (io::detail::byte_count(file.shape(name), file.dtype(name)) != file.bytes(name).size())
          FAIL("wrong shape");
      }
      ++accepted;
    } catch (Error const&) {
      ++refused;
    }
  }
  CHECK(accepted > 100);  // else the mutations are too wild to test what lies behind the header
  CHECK(refused > 1000);
}
