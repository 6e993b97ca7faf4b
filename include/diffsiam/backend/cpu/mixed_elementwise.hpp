// Element-wise operations of the Cpu backend on operands that may be in low precision. Blocks of them are
// converted to float32 in the L1 cache, so that the functor only sees full precision.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <diffsiam/backend/cpu/bf16.hpp>
#include <diffsiam/backend/cpu/elementwise.hpp>
#include <diffsiam/core/mixed_pointer.hpp>

namespace diffsiam::backend::cpu {

/// The most operands in low precision of one call, and the number of elements that are converted at a time.
inline constexpr std::size_t most_low_precision = 5;
inline constexpr Index widened_block = 1024;

/// Operands that may be in low precision. Strides are in bytes.
struct MixedWalkers {
  Walkers<std::byte> in_bytes{std::initializer_list<OperandRef<std::byte>>{}};
  std::array<bool, most_operands> low{};

  template <class T, int Inner>
  void add(Operand<T, Inner> const& operand) {
    add(operand.data, operand.stride);
  }
  template <class T, class C, int Inner>
  void add(Operand<MixedPointer<T, C>, Inner> const& operand) {
    if (is_low_precision(operand.data))
      add(operand.data.low, operand.stride);
    else
      add(operand.data.full, operand.stride);
  }

 private:
  template <class T>
  void add(T* data, Extents5 stride) {
    for (Index& step : stride) step *= static_cast<Index>(sizeof(T));
    low[in_bytes.count] = sizeof(T) < sizeof(float);
    in_bytes.at[in_bytes.count++] = {reinterpret_cast<std::byte*>(const_cast<std::remove_const_t<T>*>(data)),
                                     stride};
  }
};

/// Whether rows in low precision are contiguous.
[[nodiscard]] inline bool in_one_piece(Index row_stride, Index columns) {
  return row_stride == columns * static_cast<Index>(sizeof(BFloat16));
}

/// Applies f to `rows` times `columns` elements, at most widened_block in all.
inline void apply_widened(MixedWalkers const& operands, PlaneKernel<float> kernel, void const* f,
                          std::byte* const* from, Index const* row_stride, Index rows, Index columns) {
  alignas(64) std::array<float, most_low_precision* static_cast<std::size_t>(widened_block)> widened;
  Places<float> data{};
  Strides stride{};
  float* unused = widened.data();
  for (std::size_t i = 0; i < operands.in_bytes.count; ++i) {
    if (!operands.low[i]) {
      data[i] = reinterpret_cast<float*>(from[i]);
      stride[i] = row_stride[i] / static_cast<Index>(sizeof(float));
      continue;
    }
    data[i] = std::exchange(unused, unused + widened_block);
    stride[i] = columns;
    if (i == 0) continue;
    Index const at_once = in_one_piece(row_stride[i], columns) ? rows : 1;
    for (Index row = 0; row < rows; row += at_once)
      widen(reinterpret_cast<BFloat16 const*>(from[i] + row * row_stride[i]), at_once * columns,
            data[i] + row * columns);
  }
  kernel(f, data.data(), stride.data(), rows, columns);
  if (!operands.low[0]) return;
  Index const at_once = in_one_piece(row_stride[0], columns) ? rows : 1;
  for (Index row = 0; row < rows; row += at_once)
    narrow(data[0] + row * columns, at_once * columns,
           reinterpret_cast<BFloat16*>(from[0] + row * row_stride[0]));
}

/// Applies f to a plane, block by block.
inline void apply_in_blocks(MixedWalkers const& operands, PlaneKernel<float> kernel, void const* f,
                            std::byte* const* from, Index const* row_stride, Index rows, Index columns) {
  Index const wide = std::min(columns, widened_block), high = widened_block / wide;
  for (Index row = 0; row < rows; row += high)
    for (Index column = 0; column < columns; column += wide) {
      Places<std::byte> data{};
      for (std::size_t i = 0; i < operands.in_bytes.count; ++i)
        data[i] = from[i] + row * row_stride[i] + column * operands.in_bytes.at[i].stride[4];
      apply_widened(operands, kernel, f, data.data(), row_stride, std::min(high, rows - row),
                    std::min(wide, columns - column));
    }
}

[[gnu::noinline]] inline void for_each_mixed_plane(HostContext& context, Grid grid, MixedWalkers operands,
                                                   PlaneKernel<float> kernel, void const* f) {
  if (grid.size() == 0) return;
  Walkers<std::byte>& walkers = operands.in_bytes;
  merge_extents(grid, walkers);
  walk_in_pieces<std::byte>(context, grid, walkers,
                            [&](std::byte* const* data, Index const* row_stride, Index rows, Index columns) {
                              apply_in_blocks(operands, kernel, f, data, row_stride, rows, columns);
                            });
}

/// Writes the first operand (and does not read it if it is in low precision) and reads the others.
template <class F, class... O>
void for_each_mixed(HostContext& context, Grid const& grid, F const& f, O const&... operands) {
  MixedWalkers walkers;
  (walkers.add(operands), ...);
  static_assert((std::size_t{may_be_low_precision<O>} + ...) <= most_low_precision,
                "At most five operands may be in low precision.");
  for_each_mixed_plane(context, grid, walkers, &apply_plane<float, F, O::inner...>, &f);
}

/// out (columns) += the sums over rows of x (rows, columns). Sums of blocks are added in double, as in all
/// sums.
inline void sum_low_precision_rows(HostContext& context, Index rows, Index columns, BFloat16 const* x,
                                   float* out) {
  constexpr Index wide = 64, high = 16;
  if (rows == 0 || columns == 0) return;
  Index const chunk = std::max(high, elements_per_piece / columns), chunks = (rows + chunk - 1) / chunk;
  auto const memory = context.allocate(static_cast<std::size_t>(chunks * columns) * sizeof(double));
  auto* const partial = static_cast<double*>(memory.get());
  context.threads().run(chunks, [&](Index piece, int) {
    double* const sums = partial + piece * columns;
    std::fill_n(sums, columns, 0.0);
    Index const last = std::min((piece + 1) * chunk, rows);
    for (Index first = piece * chunk; first < last; first += high)
      for (Index column = 0; column < columns; column += wide) {
        Index const count = std::min(wide, columns - column);
        alignas(64) float row_of[wide], lanes[wide] = {};
        for (Index row = first; row < std::min(first + high, last); ++row) {
          widen(x + row * columns + column, count, row_of);
          for (Index i = 0; i < count; ++i) lanes[i] += row_of[i];
        }
        for (Index i = 0; i < count; ++i) sums[column + i] += static_cast<double>(lanes[i]);
      }
  });
  for (Index column = 0; column < columns; ++column) {
    double total = 0;
    for (Index piece = 0; piece < chunks; ++piece) total += partial[piece * columns + column];
    out[column] += static_cast<float>(total);
  }
}

}  // namespace diffsiam::backend::cpu
