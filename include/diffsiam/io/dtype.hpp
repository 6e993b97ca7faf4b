// Dtype: the element types of safetensors files, with their names there.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace diffsiam::io {

/// The names are those in the files.
enum class Dtype {
  F16,
  BF16,
  F32,
  F64,
  BOOL,
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  U64,
  I64,
  F4,
  F6_E2M3,
  F6_E3M2,
  F8_E4M3,
  F8_E5M2,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  C64
};

/// Opaque elements can be read as bytes but not as numbers: those of F4, F6 and F8 mean nothing without the
/// scales that are stored with them.
enum class DtypeKind { floating, integer, opaque };

namespace detail {

struct DtypeFacts {
  std::string_view name;
  std::size_t bits;
  DtypeKind kind;
};

/// In the order of Dtype.
inline constexpr std::array<DtypeFacts, 22> dtype_facts{
    {{"F16", 16, DtypeKind::floating},      {"BF16", 16, DtypeKind::floating},
     {"F32", 32, DtypeKind::floating},      {"F64", 64, DtypeKind::floating},
     {"BOOL", 8, DtypeKind::integer},       {"U8", 8, DtypeKind::integer},
     {"I8", 8, DtypeKind::integer},         {"U16", 16, DtypeKind::integer},
     {"I16", 16, DtypeKind::integer},       {"U32", 32, DtypeKind::integer},
     {"I32", 32, DtypeKind::integer},       {"U64", 64, DtypeKind::integer},
     {"I64", 64, DtypeKind::integer},       {"F4", 4, DtypeKind::opaque},
     {"F6_E2M3", 6, DtypeKind::opaque},     {"F6_E3M2", 6, DtypeKind::opaque},
     {"F8_E4M3", 8, DtypeKind::opaque},     {"F8_E5M2", 8, DtypeKind::opaque},
     {"F8_E8M0", 8, DtypeKind::opaque},     {"F8_E4M3FNUZ", 8, DtypeKind::opaque},
     {"F8_E5M2FNUZ", 8, DtypeKind::opaque}, {"C64", 64, DtypeKind::opaque}}};

[[nodiscard]] constexpr DtypeFacts const& facts_of(Dtype dtype) {
  return dtype_facts[static_cast<std::size_t>(dtype)];
}

}  // namespace detail

/// The name in files, such as "F32".
[[nodiscard]] constexpr std::string_view dtype_name(Dtype dtype) {
  return detail::facts_of(dtype).name;
}

/// Bits of one element. F4 and F6 are packed; a tensor of them fills whole bytes.
[[nodiscard]] constexpr std::size_t dtype_bits(Dtype dtype) {
  return detail::facts_of(dtype).bits;
}

/// Whether it is an integer, a floating type or something else.
[[nodiscard]] constexpr DtypeKind dtype_kind(Dtype dtype) {
  return detail::facts_of(dtype).kind;
}

/// The dtype with this name; empty if there is none.
[[nodiscard]] constexpr std::optional<Dtype> dtype_from_name(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Dtype::C64); ++i)
    if (dtype_name(static_cast<Dtype>(i)) == name) return static_cast<Dtype>(i);
  return std::nullopt;
}

}  // namespace diffsiam::io
