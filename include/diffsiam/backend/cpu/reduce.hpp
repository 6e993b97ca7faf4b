// Reductions of the Cpu backend. Summands are cut into chunks by shape, each summed on one thread in blocks,
// and the chunks are added in their order: the same bits with any number of threads, and errors that stay
// small.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <diffsiam/backend/cpu/elementwise.hpp>
#include <diffsiam/functional/math.hpp>

namespace diffsiam::backend::cpu {

/// Sums of float are carried from block to block in double.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;

namespace detail {

/// Sum of f over rows [from, to) of `rows`, each `inner` long, with every operand starting at its own base.
template <class T, class F, std::size_t... I, class... O>
Wide<T> sum_rows(Grid const& rows, Index from, Index to, Index inner_from, Index inner_to, F const& f,
                 std::index_sequence<I...>, O... operands) {
  constexpr Index lanes = 16, block = 2048;
  Wide<T> total = 0;
  RowCursor<sizeof...(O)> cursor{rows, from, operands...};
  for (Index row = from; row < to; ++row, cursor.next()) {
    for (Index start = inner_from; start < inner_to; start += block) {
      Index const stop = std::min(start + block, inner_to);
      std::array<T, lanes> lane{};
      Index i = start;
      for (; i + lanes <= stop; i += lanes)
        for (Index l = 0; l < lanes; ++l)
          lane[static_cast<std::size_t>(l)] += f(operands.data[cursor.offset(I) + (i + l) * O::inner]...);
      for (Index l = 0; i < stop; ++i, ++l)
        lane[static_cast<std::size_t>(l)] += f(operands.data[cursor.offset(I) + i * O::inner]...);
      for (T value : lane) total += static_cast<Wide<T>>(value);
    }
  }
  return total;
}

/// total[i] += sum of f over rows [from, to) at channel i of `width`.
template <class T, class F, std::size_t... I, class... O>
void sum_channels(Grid const& rows, Index from, Index to, Index width, F const& f, Wide<T>* total,
                  std::index_sequence<I...>, O... operands) {
  constexpr Index block = 64;
  RowCursor<sizeof...(O)> cursor{rows, from, operands...};
  for (Index row = from; row < to;) {
    std::array<T, 64> sums{};
    for (Index const stop = std::min(row + block, to); row < stop; ++row, cursor.next()) {
      for (Index i = 0; i < width; ++i)
        sums[static_cast<std::size_t>(i)] += f(operands.data[cursor.offset(I) + i * O::inner]...);
    }
    for (Index i = 0; i < width; ++i) total[i] += static_cast<Wide<T>>(sums[static_cast<std::size_t>(i)]);
  }
}

}  // namespace detail

/// out += f(operands...) over the grid; axes along which `out` has stride 0 are summed.
template <class F, class Out, class... O>
void sum(HostContext& context, Grid grid, F f, Out out, O... operands) {
  using T = typename Out::Value;
  constexpr auto each = std::index_sequence_for<O...>{};
  if (grid.size() == 0) return;
  merge_extents(grid, out, operands...);
  // Rows that are kept, rows that are summed; each grid has extent 1 where the other loops.
  Grid kept = grid, summed = grid;
  for (std::size_t axis = 0; axis < 4; ++axis) (out.stride[axis] != 0 ? summed : kept).extent[axis] = 1;
  Index const inner = grid.extent[4];
  Index const kept_rows = kept.size() / inner;
  Index const summed_rows = summed.size() / inner;

  // Chunks of the summed rows, or of one long row, when the kept rows alone do not fill the threads.
  Index const long_row = Out::inner == 0 && summed_rows == 1 ? inner : 0;
  Index const length = long_row != 0 ? long_row : summed_rows;
  Index const per_unit = long_row != 0 ? 1 : inner;
  Index const wanted = kept_rows >= 8 ? 1 : length * per_unit / elements_per_piece;
  Index const chunks = std::clamp<Index>(wanted, 1, std::min<Index>(32, length));
  Index const chunk_length = (length + chunks - 1) / chunks;

  Index const values = Out::inner == 1 ? inner : 1;
  using Sum = Wide<T>;
  auto const memory = context.allocate(static_cast<std::size_t>(kept_rows * chunks * values) * sizeof(Sum));
  Sum* const partial = static_cast<Sum*>(memory.get());
  Index const items = kept_rows * chunks;
  Index const item_elements = std::max<Index>(1, grid.size() / items);
  Index const per_piece = std::clamp<Index>(elements_per_piece / item_elements, 1, items);

  context.threads().run((items + per_piece - 1) / per_piece, [&](Index piece, int) {
    for (Index item = piece * per_piece; item < std::min((piece + 1) * per_piece, items); ++item) {
      Index const from = item % chunks * chunk_length;
      Index const to = std::min(from + chunk_length, length);
      RowCursor<sizeof...(O)> const base{kept, item / chunks, operands...};
      Sum* const into = partial + item * values;
      auto const at = [&]<std::size_t I>(std::integral_constant<std::size_t, I>, auto operand, Index shift) {
        operand.data += base.offset(I) + shift * decltype(operand)::inner;
        return operand;
      };
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        if constexpr (Out::inner == 1) {
          std::fill_n(into, values, Sum(0));
          for (Index channel = 0; channel < inner; channel += 64) {
            detail::sum_channels<T>(summed, from, to, std::min<Index>(64, inner - channel), f, into + channel,
                                    each, at(std::integral_constant<std::size_t, I>{}, operands, channel)...);
          }
        } else {
          bool const split_row = long_row != 0;
          *into = detail::sum_rows<T>(summed, split_row ? 0 : from, split_row ? 1 : to, split_row ? from : 0,
                                      split_row ? to : inner, f, each,
                                      at(std::integral_constant<std::size_t, I>{}, operands, 0)...);
        }
      }(each);
    }
  });

  RowCursor<1> cursor{kept, 0, out};
  for (Index row = 0; row < kept_rows; ++row, cursor.next()) {
    for (Index i = 0; i < values; ++i) {
      Sum total = 0;
      for (Index chunk = 0; chunk < chunks; ++chunk) total += partial[(row * chunks + chunk) * values + i];
      out.data[cursor.offset(0) + i] += static_cast<T>(total);
    }
  }
}

/// y = softmax of each row of x, or its logarithm. In place is allowed.
template <bool Log, class T>
void softmax(HostContext& context, Index rows, Index columns, T const* x, T* y) {
  Index const per_piece = std::max<Index>(1, elements_per_piece / std::max<Index>(1, columns));
  context.threads().run((rows + per_piece - 1) / per_piece, [&](Index piece, int) {
    for (Index row = piece * per_piece; row < std::min((piece + 1) * per_piece, rows); ++row) {
      T const* const in = x + row * columns;
      T* const out = y + row * columns;
      T const greatest = *std::max_element(in, in + columns);
      T sum = T(0);
      if constexpr (Log) {
        for (Index j = 0; j < columns; ++j) sum += functional::exp(in[j] - greatest);
        T const log_sum = greatest + functional::log(sum);
        for (Index j = 0; j < columns; ++j) out[j] = in[j] - log_sum;
      } else {
        for (Index j = 0; j < columns; ++j) out[j] = functional::exp(in[j] - greatest);
        for (Index j = 0; j < columns; ++j) sum += out[j];
        T const scale = T(1) / sum;
        for (Index j = 0; j < columns; ++j) out[j] *= scale;
      }
    }
  });
}

}  // namespace diffsiam::backend::cpu
