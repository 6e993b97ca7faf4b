// Numbers in memory, by their type of CUDA: float32, bfloat16 and float16.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <library_types.h>

#include <diffsiam/core/half.hpp>

namespace diffsiam::standin {

[[nodiscard]] constexpr bool is_number(std::uint32_t type) {
  return type == CUDA_R_32F || type == CUDA_R_16BF || type == CUDA_R_16F;
}
[[nodiscard]] constexpr std::size_t bytes_of(std::uint32_t type) {
  return type == CUDA_R_32F ? 4 : 2;
}

[[nodiscard]] inline float number_at(void const* data, std::uint32_t type, std::int64_t i) {
  return type == CUDA_R_32F    ? static_cast<float const*>(data)[i]
         : type == CUDA_R_16BF ? static_cast<float>(static_cast<BFloat16 const*>(data)[i])
                               : static_cast<float>(static_cast<Half const*>(data)[i]);
}
inline void put_number(void* data, std::uint32_t type, std::int64_t i, float value) {
  if (type == CUDA_R_32F)
    static_cast<float*>(data)[i] = value;
  else if (type == CUDA_R_16BF)
    static_cast<BFloat16*>(data)[i] = BFloat16(value);
  else
    static_cast<Half*>(data)[i] = Half(value);
}

/// To 10 bits of mantissa, to nearest even.
[[nodiscard]] inline float rounded_to_tf32(float value) {
  auto const bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7F800000U) == 0x7F800000U) return value;
  return std::bit_cast<float>((bits + 0xFFFU + ((bits >> 13U) & 1U)) & ~0x1FFFU);
}

}  // namespace diffsiam::standin
