// bfloat16 operands for the tiles of the Cpu backend: pairs of neighbours along k are multiplied and summed
// in float32. This is one instruction on targets that have it. On others the pairs are converted to float32
// first, which is correct but slower than float32.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include <diffsiam/backend/cpu/tile.hpp>
#include <diffsiam/core/half.hpp>

#if DIFFSIAM_HAS_BF16_DOT
#include <immintrin.h>
#endif

namespace diffsiam::backend::cpu {

template <>
struct Summand<float, BFloat16> {
  using V = Vector<float>::Type;
  // NOLINTBEGIN(modernize-use-using): the attributes stand where a typedef has them.
  typedef std::uint32_t Pairs __attribute__((vector_size(DIFFSIAM_VECTOR_BYTES), aligned(4), may_alias));
  typedef std::uint16_t Halves __attribute__((vector_size(DIFFSIAM_VECTOR_BYTES / 2), aligned(2), may_alias));
  // NOLINTEND(modernize-use-using)
  using Columns = Pairs;
  static constexpr Index group = 2;

  DIFFSIAM_ALWAYS_INLINE static Columns load(BFloat16 const* b) { return *reinterpret_cast<Pairs const*>(b); }
  DIFFSIAM_ALWAYS_INLINE static std::uint32_t factor(BFloat16 const* a) {
    std::uint32_t pair = 0;
    std::memcpy(&pair, a, sizeof pair);
    return pair;
  }
  DIFFSIAM_ALWAYS_INLINE static void add(V& sum, std::uint32_t factor, Columns const& columns) {
#if DIFFSIAM_HAS_BF16_DOT
    sum = reinterpret_cast<V>(
        _mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                         reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(factor))),
                         reinterpret_cast<__m512bh>(columns)));
#else
    sum += std::bit_cast<float>(factor << 16) * reinterpret(columns << 16) +
           std::bit_cast<float>(factor & 0xffff0000U) * reinterpret(columns & 0xffff0000U);
#endif
  }

  /// Reads a vector and converts it to float32.
  DIFFSIAM_ALWAYS_INLINE static V read(BFloat16 const* from) {
    return reinterpret(__builtin_convertvector(*reinterpret_cast<Halves const*>(from), Pairs) << 16);
  }
  /// Rounds to nearest even.
  DIFFSIAM_ALWAYS_INLINE static void store(BFloat16* to, V const& value) {
#if DIFFSIAM_HAS_BF16_DOT
    auto const narrow = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(value));
    std::memcpy(to, &narrow, sizeof narrow);
#else
    *reinterpret_cast<Halves*>(to) = __builtin_convertvector(round(value), Halves);
#endif
  }
  DIFFSIAM_ALWAYS_INLINE static void store_group(BFloat16* to, V const (&values)[2]) {
    Pairs const pairs = round(values[0]) | (round(values[1]) << 16);
    *reinterpret_cast<Pairs*>(to) = pairs;
  }

 private:
  DIFFSIAM_ALWAYS_INLINE static V reinterpret(Pairs const& bits) { return reinterpret_cast<V>(bits); }
  /// The bfloat16 of each lane, in the lower half of the lane. NaN stays NaN.
  DIFFSIAM_ALWAYS_INLINE static Pairs round(V const& value) {
    Pairs const bits = reinterpret_cast<Pairs>(value);
    Pairs const is_nan = reinterpret_cast<Pairs>(value != value);  // NOLINT(misc-redundant-expression)
    Pairs const rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
    return (is_nan & 0x7fc0U) | (~is_nan & rounded);
  }
};

/// to[i] = from[i] for i < count.
DIFFSIAM_ALWAYS_INLINE void widen(BFloat16 const* from, Index count, float* to) {
  using V = Vector<float>::Type;
  Index i = 0;
  for (; i + lanes<float> <= count; i += lanes<float>)
    *reinterpret_cast<V*>(to + i) = Summand<float, BFloat16>::read(from + i);
  for (; i < count; ++i) to[i] = static_cast<float>(from[i]);
}
/// to[i] = from[i] for i < count, rounded to nearest even.
DIFFSIAM_ALWAYS_INLINE void narrow(float const* from, Index count, BFloat16* to) {
  using V = Vector<float>::Type;
  Index i = 0;
  for (; i + lanes<float> <= count; i += lanes<float>)
    Summand<float, BFloat16>::store(to + i, *reinterpret_cast<V const*>(from + i));
  for (; i < count; ++i) to[i] = BFloat16(from[i]);
}

}  // namespace diffsiam::backend::cpu
