// y += bias: what follows a convolution. A thread keeps its channels and their bias.
#pragma once

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/columns.hpp>
#include <diffsiam/backend/cuda/kernels/pack.hpp>

namespace diffsiam::backend::cuda {

/// y (s, c) += bias (c). Y is the type of y in memory.
template <int Width, class T, class Y>
struct AddBias {
  struct Shared {};
  static constexpr bool synchronises = false;
  ColumnWalk walk;
  T const* bias;
  Y* y;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    ColumnPlace const at{walk, lane.block(), lane.thread()};
    if (!at.inside) return;
    auto const of_channels = load_pack<Width>(bias + at.channel);
    at.each_offset(
        walk, [&](Index i) { return load_pack<Width>(y + i); },
        [&](Index i, Pack<Y, Width> values) {
          for (int j = 0; j < Width; ++j)
            write(values.value, j, read<T>(values.value, j) + of_channels.value[j]);
          store_pack(y + i, values);
        });
  }
};

/// y (positions, channels) += bias (channels). `y` is a pointer or a MixedPointer.
template <class Device, class T, class Y>
void add_bias(typename Device::Context& context, Index positions, Index channels, T const* bias, Y* y) {
  if (positions * channels == 0) return;
  constexpr int widest = widest_pack<Y>;
  bool const fit = channels % widest == 0 && fits_packs_at(y, widest) && fits_packs_at(bias, widest);
  with_pack_width<Y>(fit, [&](auto width) {
    ColumnWalk const walk{1, positions, channels, width};
    Device::launch(context, walk.blocks(), AddBias<width(), T, Y>{walk, bias, y});
  });
}
template <class Device, class T, class C>
void add_bias(typename Device::Context& context, Index positions, Index channels, T const* bias,
              MixedPointer<T, C> const& y) {
  is_low_precision(y) ? add_bias<Device>(context, positions, channels, bias, y.low)
                      : add_bias<Device>(context, positions, channels, bias, y.full);
}

}  // namespace diffsiam::backend::cuda
