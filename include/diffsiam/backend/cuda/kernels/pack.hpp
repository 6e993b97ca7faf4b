// Pack: neighbouring values that a thread loads and stores at once. Loads of 16 bytes use whole sectors of
// memory, and few instructions.
#pragma once

#include <cstdint>
#include <type_traits>

#include <diffsiam/config.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend::cuda {

/// `Width` neighbours that are loaded at once.
template <class T, int Width>
struct alignas(sizeof(T) * Width) Pack {
  T value[Width];
};
/// The number of values in 16 bytes.
template <class T>
inline constexpr int widest_pack = 16 / static_cast<int>(sizeof(T));

template <int Width, class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE Pack<T, Width> load_pack(T const* from) {
  return *reinterpret_cast<Pack<T, Width> const*>(from);
}
/// `Width` neighbours, or, with a stride of 0, one value that often.
template <int Width, int Stride, class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE Pack<T, Width> load_pack_along(T const* from) {
  if constexpr (Stride == 1) {
    return load_pack<Width>(from);
  } else {
    Pack<T, Width> pack;
    for (int j = 0; j < Width; ++j) pack.value[j] = *from;
    return pack;
  }
}
template <int Width, class T>
DIFFSIAM_HOST_DEVICE void store_pack(T* to, Pack<T, Width> const& pack) {
  *reinterpret_cast<Pack<T, Width>*>(to) = pack;
}

/// Whether packs of `width` values can begin at `data`. Null is taken for memory that nobody reads.
template <class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE bool fits_packs_at(T const* data, int width) {
  return reinterpret_cast<std::uintptr_t>(data) % (sizeof(T) * static_cast<std::size_t>(width)) == 0;
}

/// Calls f with an integral_constant: the number of values of type T in 16 bytes if such packs `fit`, and
/// otherwise 1.
template <class T, class F>
void with_pack_width(bool fit, F const& f) {
  fit ? f(std::integral_constant<int, widest_pack<T>>{}) : f(std::integral_constant<int, 1>{});
}

/// Calls use(i, load(i)) for i = from, from + step, ... before stop, in this order, with four loads in
/// flight.
template <class Load, class Use>
DIFFSIAM_KERNEL void each_loaded(Index from, Index stop, Index step, Load const& load, Use const& use) {
  constexpr int ahead = 4;
  Index i = from;
  for (; i + (ahead - 1) * step < stop; i += ahead * step) {
    decltype(load(i)) values[ahead];
    DIFFSIAM_UNROLL_IN_KERNEL
    for (int j = 0; j < ahead; ++j) values[j] = load(i + j * step);
    DIFFSIAM_UNROLL_IN_KERNEL
    for (int j = 0; j < ahead; ++j) use(i + j * step, values[j]);
  }
  for (; i < stop; i += step) use(i, load(i));
}

}  // namespace diffsiam::backend::cuda
