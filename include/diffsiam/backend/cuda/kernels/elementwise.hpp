// Element-wise kernels: they apply a functor at every point of a grid. A thread computes four neighbours if
// all operands allow loads of 16 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>
#include <diffsiam/backend/cuda/kernels/places.hpp>

namespace diffsiam::backend::cuda {

/// Whether F takes argument `i` of N as const, that is, whether it only reads it.
template <class F, class T, std::size_t N>
[[nodiscard]] constexpr bool reads_only(std::size_t i) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    auto const at = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
      return std::is_invocable_v<F const&, std::conditional_t<I == J, T const&, T&>...>;
    };
    return ((I == i && at(std::integral_constant<std::size_t, I>{})) || ...);
  }(std::make_index_sequence<N>{});
}

/// f over rows of columns. `Width` divides the columns and, for contiguous operands, their strides.
template <int Width, class T, class F, int... Inner>
struct ForEach {
  static constexpr std::size_t count = sizeof...(Inner);
  struct Shared {};
  static constexpr bool synchronises = false;

  F f;
  Places<T, count> places;
  Index extent[4];
  Index columns, packs;  ///< number of packs in the whole grid

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const i = lane.block() * block_threads + lane.thread();
    if (i < packs) at(i, std::make_index_sequence<count>{});
  }

 private:
  template <std::size_t... I>
  DIFFSIAM_KERNEL void at(Index i, std::index_sequence<I...>) const {
    Division const place = divide(i, columns / Width);
    Index offset[count] = {place.rest * Width * Inner...};
    places.advance(extent, place.quotient, offset);
    if constexpr (Width == 1) {
      f(places.data[I][offset[I]]...);
    } else {
      Pack<T, Width> pack[count] = {load_pack_along<Width, Inner>(places.data[I] + offset[I])...};
      for (int j = 0; j < Width; ++j) f(pack[I].value[j]...);
      (store<I, Inner>(places.data[I] + offset[I], pack[I]), ...);
    }
  }
  template <std::size_t I, int Stride>
  DIFFSIAM_KERNEL static void store(T* to, Pack<T, Width> const& pack) {
    // Operands that are both written and repeated are not used with packs.
    if constexpr (Stride == 1 && !reads_only<F, T, count>(I)) store_pack(to, pack);
  }
};

/// Whether f(T...) can work on packs of `width` neighbours; value_bytes are the sizes of the operands'
/// values.
template <class F, class T, std::size_t N>
[[nodiscard]] bool fits_packs(Merged<N> const& merged, Index width, std::array<int, N> const& inner,
                              std::array<std::size_t, N> const& value_bytes) {
  bool fits = merged.columns() % width == 0;
  for (std::size_t i = 0; i < N; ++i)
    fits = fits && (inner[i] == 0 ? reads_only<F, T, N>(i) : merged.fits_packs(i, width, value_bytes[i]));
  return fits;
}

/// Launches f(operands...) over the grid.
template <class Device, class T, class F, class... O>
void for_each(typename Device::Context& context, Grid const& grid, F const& f, O const&... operands) {
  if (grid.size() == 0) return;
  constexpr std::size_t count = sizeof...(O);
  Merged<count> const merged{grid, operands...};
  std::array<std::size_t, count> bytes;
  bytes.fill(sizeof(T));
  bool const fit = fits_packs<F, T, count>(merged, widest_pack<T>, {O::inner...}, bytes);
  with_pack_width<T>(fit, [&](auto width) {
    auto const& e = merged.grid.extent;
    ForEach<width(), T, F, O::inner...> const kernel{f,
                                                     merged.template places<T, count>(0),
                                                     {e[0], e[1], e[2], e[3]},
                                                     merged.columns(),
                                                     merged.grid.size() / width};
    Device::launch(context, blocks_for(kernel.packs, block_threads), kernel);
  });
}

}  // namespace diffsiam::backend::cuda
