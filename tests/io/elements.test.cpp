#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/safetensors.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using io::Dtype;
using io::SafetensorsFile;
using io::SafetensorsWriter;

namespace {

using Whole = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("floats are rounded to nearest on the way out, and infinities and NaN survive", "[io][elements]") {
  SafetensorsWriter writer;
  double const infinity = std::numeric_limits<double>::infinity();
  std::vector<double> const values{1.0 + 0x1p-11 + 0x1p-40, infinity, -infinity, std::nan(""), 0x1p-24};
  writer.add("f16", Dtype::F16, {5}, values);
  writer.add("bf16", Dtype::BF16, {5}, values);
  SafetensorsFile const file = SafetensorsFile::parse(writer.encode(), "memory");
  auto const half = file.values<double>("f16");
  CHECK(half[0] == 1.0 + 0x1p-10);
  CHECK(half[1] == infinity);
  CHECK(half[2] == -infinity);
  CHECK(std::isnan(half[3]));
  CHECK(half[4] == 0x1p-24);
  CHECK(std::isnan(file.values<float>("bf16")[3]));
}

TEST_CASE("integers are never cut: what does not fit raises FileError", "[io][elements]") {
  SafetensorsWriter writer;
  CHECK(contains(message_of<FileError>([&] { writer.add("x", Dtype::I64, {1}, std::vector<float>{0.5F}); }),
                 "write_safetensors: expected whole numbers that I64 can hold in 'x', got 0.5 at index 0"));
  CHECK_THROWS_AS(writer.add("x", Dtype::I64, {1}, std::vector<double>{0x1p63}), FileError);
  CHECK_THROWS_AS(writer.add("x", Dtype::I32, {1}, Whole{2147483648}), FileError);
  CHECK_THROWS_AS(writer.add("x", Dtype::U8, {1}, Whole{-1}), FileError);
  CHECK_THROWS_AS(writer.add("x", Dtype::U8, {1}, std::vector<double>{256}), FileError);
  CHECK_THROWS_AS(writer.add("x", Dtype::I64, {1}, std::vector<double>{std::nan("")}), FileError);
  writer.add("low", Dtype::I64, {1}, std::vector<double>{-0x1p63});
  writer.add("real", Dtype::F32, {1}, std::vector<float>{0.5F});
  SafetensorsFile const file = SafetensorsFile::parse(writer.encode(), "memory");
  CHECK(file.values<std::int64_t>("low") == Whole{std::numeric_limits<std::int64_t>::min()});
  CHECK(contains(message_of<FileError>([&] { (void)file.values<std::int64_t>("real"); }), "whole numbers"));
}

TEST_CASE("a number that a type cannot hold raises FileError with its index", "[io][elements]") {
  SafetensorsWriter writer;
  auto const refusal = [&](Dtype dtype, auto const& values) {
    auto const extent = static_cast<std::int64_t>(values.size());
    return message_of<FileError>([&] { writer.add("x", dtype, {extent}, values); });
  };
  using Floats = std::vector<float>;
  using Doubles = std::vector<double>;
  CHECK(refusal(Dtype::BF16, Floats{1, 3.4e38F}) ==
        "write_safetensors: expected numbers that BF16 can hold in 'x', got 3.4e+38 at index 1");
  CHECK(contains(refusal(Dtype::F16, Floats{65520}), "F16 can hold in 'x', got 65520 at index 0"));
  CHECK(contains(refusal(Dtype::F32, Doubles{0, 0, -1e39}), "F32 can hold in 'x', got -1e+39 at index 2"));
  // A whole number is a count or an index, and must stay itself.
  CHECK(contains(refusal(Dtype::F32, Whole{16777217}), "F32 can hold in 'x', got 16777217 at index 0"));
  CHECK(contains(refusal(Dtype::F64, Whole{(1LL << 53) + 1}), "9007199254740993 at index 0"));
  CHECK(contains(refusal(Dtype::F16, Whole{2049}), "2049"));
  CHECK(contains(refusal(Dtype::BF16, Whole{257}), "257"));
  CHECK(
      contains(refusal(Dtype::F64, Whole{std::numeric_limits<std::int64_t>::max()}), "9223372036854775807"));
  CHECK(
      contains(refusal(Dtype::BOOL, Whole{2}), "whole numbers that BOOL can hold in 'x', got 2 at index 0"));
  CHECK(contains(refusal(Dtype::U64, Whole{-1}), "U64"));
  CHECK(contains(refusal(Dtype::F8_E4M3, Floats{1}), "a dtype that is converted to numbers in 'x'"));

  writer.add("large", Dtype::F64, {1}, Doubles{1e39});
  writer.add("odd", Dtype::I64, {1}, Whole{16777217});
  writer.add("unsigned", Dtype::U64, {1}, Doubles{0x1p63});
  writer.add("rounded", Dtype::F32, {2}, Doubles{0.1, 3.4028235e38});
  SafetensorsFile const file = SafetensorsFile::parse(writer.encode(), "memory");
  CHECK(message_of<FileError>([&] { (void)file.values<float>("large"); }) ==
        "read_safetensors: expected numbers that F32 can hold in 'large' of 'memory', got 1e+39 at index 0");
  CHECK(contains(message_of<FileError>([&] { (void)file.values<float>("odd"); }), "16777217 at index 0"));
  CHECK(file.values<double>("odd") == Doubles{16777217});
  CHECK(file.values<double>("unsigned") == Doubles{0x1p63});
  CHECK_THROWS_AS(file.values<std::int64_t>("unsigned"), FileError);
  CHECK(file.values<float>("rounded") == Floats{0.1F, 3.4028235e38F});
}

TEST_CASE("every integer type and BOOL come back as they were", "[io][elements]") {
  SafetensorsWriter writer;
  writer.add("BOOL", Dtype::BOOL, {2}, Whole{0, 1});
  writer.add("I8", Dtype::I8, {2}, Whole{-128, 127});
  writer.add("I16", Dtype::I16, {2}, Whole{-32768, 32767});
  writer.add("U16", Dtype::U16, {2}, Whole{0, 65535});
  writer.add("U32", Dtype::U32, {2}, Whole{0, 4294967295});
  writer.add("U64", Dtype::U64, {2}, Whole{0, std::numeric_limits<std::int64_t>::max()});
  SafetensorsFile const file = SafetensorsFile::parse(writer.encode(), "memory");
  CHECK(file.values<std::int64_t>("BOOL") == Whole{0, 1});
  CHECK(file.values<std::int64_t>("I8") == Whole{-128, 127});
  CHECK(file.values<std::int64_t>("I16") == Whole{-32768, 32767});
  CHECK(file.values<double>("U16") == std::vector<double>{0, 65535});
  CHECK(file.values<double>("U32") == std::vector<double>{0, 4294967295});
  CHECK(file.values<std::int64_t>("U64") == Whole{0, std::numeric_limits<std::int64_t>::max()});
}
