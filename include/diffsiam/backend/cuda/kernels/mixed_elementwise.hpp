// Element-wise kernels on operands that may be in low precision. A load converts values to full precision and
// a store rounds them, so the functor only sees full precision.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/elementwise.hpp>

namespace diffsiam::backend::cuda {

/// Like ForEach, but each operand says at run time whether it is in low precision. If the first one is, it is
/// not read.
template <int Width, class T, class C, class F, class... O>
struct ForEachMixed {
  static constexpr std::size_t count = sizeof...(O);
  struct Shared {};
  static constexpr bool synchronises = false;

  F f;
  Places<void, count> places;
  bool low[count];
  Index extent[4];
  Index columns, packs;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const i = lane.block() * block_threads + lane.thread();
    if (i < packs) at(i, std::make_index_sequence<count>{});
  }

 private:
  using Values = Pack<T, Width>;

  template <std::size_t... I>
  DIFFSIAM_KERNEL void at(Index i, std::index_sequence<I...>) const {
    Division const place = divide(i, columns / Width);
    Index offset[count] = {place.rest * Width * O::inner...};
    places.advance(extent, place.quotient, offset);
    Values values[count] = {load<I, O>(offset[I])...};
    for (int j = 0; j < Width; ++j) f(values[I].value[j]...);
    (store<I, O>(offset[I], values[I]), ...);
  }
  template <std::size_t I, class Operand>
  DIFFSIAM_KERNEL Values load(Index offset) const {
    if constexpr (may_be_low_precision<Operand>)
      if (low[I]) return I == 0 ? Values{} : load_from<Operand::inner>(of_type<C>(I) + offset);
    return load_from<Operand::inner>(of_type<T>(I) + offset);
  }
  template <int Stride, class X>
  DIFFSIAM_KERNEL static Values load_from(X const* from) {
    auto const pack = load_pack_along<Width, Stride>(from);
    Values values;
    for (int j = 0; j < Width; ++j) values.value[j] = read<T>(pack.value, j);
    return values;
  }
  template <std::size_t I, class Operand>
  DIFFSIAM_KERNEL void store(Index offset, Values const& values) const {
    // Operands that are both written and repeated are not used with packs.
    if constexpr (!reads_only<F, T, count>(I) && (Operand::inner == 1 || Width == 1)) {
      if constexpr (may_be_low_precision<Operand>)
        if (low[I]) return store_to(of_type<C>(I) + offset, values);
      store_to(of_type<T>(I) + offset, values);
    }
  }
  template <class X>
  DIFFSIAM_KERNEL static void store_to(X* to, Values const& values) {
    Pack<X, Width> pack;
    for (int j = 0; j < Width; ++j) write(pack.value, j, values.value[j]);
    store_pack(to, pack);
  }
  template <class X>
  DIFFSIAM_KERNEL X* of_type(std::size_t i) const {
    return static_cast<X*>(places.data[i]);
  }
};

/// Launches f(operands...) over the grid. A thread computes eight neighbours if all operands allow it; in low
/// precision that is a load of 16 bytes.
template <class Device, class T, class C, class F, class... O>
void for_each_mixed(typename Device::Context& context, Grid const& grid, F const& f, O const&... operands) {
  if (grid.size() == 0) return;
  constexpr std::size_t count = sizeof...(O);
  Merged<count> const merged{grid, operands...};
  std::array<std::size_t, count> const bytes{(is_low_precision(operands.data) ? sizeof(C) : sizeof(T))...};
  bool const fit = fits_packs<F, T, count>(merged, widest_pack<C>, {O::inner...}, bytes);
  with_pack_width<C>(fit, [&](auto width) {
    auto const& e = merged.grid.extent;
    ForEachMixed<width(), T, C, F, O...> const kernel{f,
                                                      merged.template places<void, count>(0),
                                                      {is_low_precision(operands.data)...},
                                                      {e[0], e[1], e[2], e[3]},
                                                      merged.columns(),
                                                      merged.grid.size() / width};
    Device::launch(context, blocks_for(kernel.packs, block_threads), kernel);
  });
}

}  // namespace diffsiam::backend::cuda
