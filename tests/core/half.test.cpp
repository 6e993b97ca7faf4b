#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <tests/support/catch.hpp>

#include <diffsiam/core/half.hpp>

using diffsiam::bfloat16_bits;
using diffsiam::float_from_bfloat16;
using diffsiam::float_from_half;
using diffsiam::half_bits;

namespace {

/// The value of binary16 bits, computed from the definition and not by moving bits.
double half_value(std::uint32_t bits) {
  int const exponent = static_cast<int>((bits >> 10) & 31U);
  double const fraction = static_cast<double>(bits & 1023U) / 1024.0;
  double const magnitude =
      exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1.0 + fraction, exponent - 15);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("every binary16 and bfloat16 survives the way to float and back", "[half]") {
  std::uint32_t wrong_half = 0;
  std::uint32_t wrong_bfloat16 = 0;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    auto const bits = static_cast<std::uint16_t>(i);
    if (half_bits(float_from_half(bits)) != bits) ++wrong_half;
    if (bfloat16_bits(float_from_bfloat16(bits)) != bits) ++wrong_bfloat16;
  }
  CHECK(wrong_half == 0);
  CHECK(wrong_bfloat16 == 0);
}

TEST_CASE("every finite binary16 widens to the value of its definition", "[half]") {
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    if (((i >> 10) & 31U) == 31U) continue;
    if (static_cast<double>(float_from_half(static_cast<std::uint16_t>(i))) != half_value(i)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("between two neighbours of binary16 the nearer wins, and the even one in the middle", "[half]") {
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < 0x7bffU; ++i) {  // all positive finite neighbours
    double const middle = (half_value(i) + half_value(i + 1)) / 2;
    std::uint32_t const even = (i & 1U) == 0 ? i : i + 1;
    auto const as_float = static_cast<float>(middle);  // exact: 12 bits of mantissa
    if (half_bits(as_float) != even || half_bits(-as_float) != (even | 0x8000U)) ++wrong;
    if (half_bits(std::nextafter(as_float, 0.0F)) != i) ++wrong;
    if (half_bits(std::nextafter(as_float, 1e30F)) != i + 1) ++wrong;
    if (half_bits(middle) != even) ++wrong;
    if (half_bits(std::nextafter(middle, 0.0)) != i) ++wrong;
    if (half_bits(std::nextafter(middle, 1e30)) != i + 1) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("between two neighbours of bfloat16 the nearer wins, and the even one in the middle", "[half]") {
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < 0x7f7fU; ++i) {
    auto const middle = std::bit_cast<float>((i << 16) | 0x8000U);
    std::uint32_t const even = (i & 1U) == 0 ? i : i + 1;
    if (bfloat16_bits(middle) != even || bfloat16_bits(static_cast<double>(middle)) != even) ++wrong;
    if (bfloat16_bits(std::nextafter(middle, 0.0F)) != i) ++wrong;
    if (bfloat16_bits(std::nextafter(static_cast<double>(middle), 0.0)) != i) ++wrong;
    if (bfloat16_bits(std::nextafter(static_cast<double>(middle), 1e300)) != i + 1) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("every float beside a step of 16 bits rounds as its double, which has room to spare", "[half]") {
  std::uint32_t wrong = 0;
  for (std::uint32_t upper = 0; upper < 65536; ++upper)
    for (std::uint32_t const lower : {0U, 1U, 0xfffU, 0x1000U, 0x1001U, 0x3000U, 0x7fffU, 0x8000U, 0x8001U}) {
      auto const value = std::bit_cast<float>(upper << 16 | lower);
      if (std::isnan(value)) continue;
      if (half_bits(value) != half_bits(static_cast<double>(value))) ++wrong;
      if (bfloat16_bits(value) != bfloat16_bits(static_cast<double>(value))) ++wrong;
    }
  CHECK(wrong == 0);
}

TEST_CASE("values in memory are their bits", "[half]") {
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    auto const value = std::bit_cast<diffsiam::Half>(static_cast<std::uint16_t>(i));
    auto const other = std::bit_cast<diffsiam::BFloat16>(static_cast<std::uint16_t>(i));
    if (diffsiam::Half(static_cast<float>(value)).bits != i) ++wrong;
    if (diffsiam::BFloat16(static_cast<float>(other)).bits != i) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a double is rounded once on its way to 16 bits", "[half]") {
  // Just above the tie between 1 and its neighbour: through a float it would fall on the tie, and to 1.
  double const above_tie = 1.0 + 0x1p-11 + 0x1p-40;
  CHECK(half_bits(above_tie) == 0x3c01);
  CHECK(half_bits(static_cast<float>(above_tie)) == 0x3c00);
}

TEST_CASE("16-bit floats keep zeros, infinities and NaN, and overflow to infinity", "[half]") {
  float const infinity = std::numeric_limits<float>::infinity();
  CHECK(half_bits(0.0F) == 0x0000);
  CHECK(half_bits(-0.0F) == 0x8000);
  CHECK(half_bits(65504.0F) == 0x7bff);
  CHECK(half_bits(65519.0F) == 0x7bff);
  CHECK(half_bits(65520.0F) == 0x7c00);
  CHECK(half_bits(-1e30) == 0xfc00);
  CHECK(half_bits(infinity) == 0x7c00);
  CHECK(half_bits(0x1p-24F) == 0x0001);
  CHECK(half_bits(0x1p-25F) == 0x0000);
  CHECK(half_bits(0x1.01p-25F) == 0x0001);
  CHECK(half_bits(std::numeric_limits<double>::denorm_min()) == 0x0000);
  CHECK(bfloat16_bits(std::numeric_limits<float>::max()) == 0x7f80);
  CHECK(bfloat16_bits(-infinity) == 0xff80);
  CHECK(bfloat16_bits(1e300) == 0x7f80);
  CHECK(std::isnan(float_from_half(half_bits(std::numeric_limits<float>::quiet_NaN()))));
  CHECK(std::isnan(float_from_bfloat16(bfloat16_bits(std::numeric_limits<double>::quiet_NaN()))));
  // A NaN whose payload lies in the lost bits must not turn into infinity.
  CHECK(std::isnan(float_from_half(half_bits(std::bit_cast<float>(0x7f800001U)))));
  CHECK(std::isnan(float_from_bfloat16(bfloat16_bits(std::bit_cast<float>(0xff800001U)))));
  STATIC_REQUIRE(float_from_half(half_bits(1.5F)) == 1.5F);
}
