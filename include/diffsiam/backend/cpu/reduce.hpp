// Reductions of the Cpu backend: sums and softmax. A sum is divided into chunks by shape; one thread sums a
// chunk in blocks, and the chunks are added in order. So the result has the same bits with any number of
// threads, and rounding errors stay small.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <diffsiam/backend/cpu/elementwise.hpp>
#include <diffsiam/functional/math.hpp>

namespace diffsiam::backend::cpu {

/// The type in which the sums of blocks are added. For float it is double.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;

/// Adds the sums of f over a plane to `total`: one sum for each column, or one for the whole plane.
template <class T>
using SumKernel = void (*)(void const* f, T* const* data, Index const* row_stride, Index rows, Index columns,
                           Wide<T>* total);

/// Number of columns that are summed at a time. Wider rows are divided, narrow rows are joined.
inline constexpr Index widest_columns = 64;

/// lane[j] += f at j of the operands. The number of lanes is a constant, so that the loop is vectorised, even
/// at -O2.
template <class T, std::size_t Lanes, class F, int... Inner, class... P>
void add_lanes(std::array<T, Lanes>& lane, F const& f, std::integer_sequence<int, Inner...>, P const*... p) {
  for (std::size_t j = 0; j < Lanes; ++j) lane[j] += f(p[static_cast<Index>(j) * Inner]...);
}

/// total[i] += the sum over rows, for Lanes columns.
template <std::size_t Lanes, class T, class F, int... Inner, std::size_t... I>
void sum_strip(F const& f, std::array<T*, sizeof...(I)> data, Index const* row_stride, Index rows,
               Wide<T>* total, std::integer_sequence<int, Inner...> inner, std::index_sequence<I...>) {
  constexpr Index block = 64;
  for (Index row = 0; row < rows;) {
    std::array<T, Lanes> lane{};
    for (Index const stop = std::min(row + block, rows); row < stop; ++row) {
      add_lanes(lane, f, inner, data[I]...);
      ((data[I] += row_stride[I]), ...);
    }
    for (std::size_t j = 0; j < Lanes; ++j) total[j] += static_cast<Wide<T>>(lane[j]);
  }
}

/// total[i] += the sum over rows, for each column.
template <class T, class F, int... Inner, std::size_t... I>
void sum_columns(F const f, T* const* from, Index const* row_stride, Index rows, Index columns,
                 Wide<T>* total, std::integer_sequence<int, Inner...> inner, std::index_sequence<I...> all) {
  std::array<T*, sizeof...(I)> data{from[I]...};
  auto const strips = [&]<std::size_t Lanes>(std::integral_constant<std::size_t, Lanes>) {
    constexpr auto step = static_cast<Index>(Lanes);
    for (; columns >= step; columns -= step, total += step) {
      sum_strip<Lanes, T>(f, data, row_stride, rows, total, inner, all);
      ((data[I] += step * Inner), ...);
    }
  };
  strips(std::integral_constant<std::size_t, 16>{});
  strips(std::integral_constant<std::size_t, 1>{});
}

/// *total += the sum over rows and columns.
template <class T, class F, int... Inner, std::size_t... I>
void sum_rows(F const f, T* const* from, Index const* row_stride, Index rows, Index columns, Wide<T>* total,
              std::integer_sequence<int, Inner...> inner, std::index_sequence<I...>) {
  constexpr std::size_t lanes = 16;
  constexpr Index block = 2048, step = static_cast<Index>(lanes);
  std::array<T*, sizeof...(I)> data{from[I]...};
  for (Index row = 0; row < rows; ++row) {
    for (Index first = 0; first < columns; first += block) {
      Index const stop = std::min(first + block, columns);
      std::array<T, lanes> lane{};
      Index i = first;
      for (; i + step <= stop; i += step) add_lanes(lane, f, inner, (data[I] + i * Inner)...);
      for (std::size_t j = 0; i < stop; ++i, ++j) lane[j] += f(std::as_const(data[I][i * Inner])...);
      for (T value : lane) *total += static_cast<Wide<T>>(value);
    }
    ((data[I] += row_stride[I]), ...);
  }
}

/// How a sum is divided: rows that are kept, and chunks of the summed elements for each of them.
struct SumPlan {
  Grid kept, summed;           ///< each has extent 1 where the other one loops
  bool split_columns = false;  ///< one long row is divided, and not the rows among chunks
  Index kept_rows = 1, length = 1, chunks = 1, chunk_length = 1, values = 1;

  SumPlan(Grid const& grid, Extents5 const& out_stride, bool out_has_columns) : kept(grid), summed(grid) {
    for (std::size_t axis = 0; axis < 4; ++axis) (out_stride[axis] != 0 ? summed : kept).extent[axis] = 1;
    Index const columns = grid.extent[4];
    kept_rows = kept.size() / columns;
    Index const summed_rows = summed.size() / columns;
    split_columns = !out_has_columns && summed_rows == 1;
    length = split_columns ? columns : summed_rows;
    // Chunks are needed only if the kept rows alone do not occupy the threads.
    Index const wanted = kept_rows >= 8 ? 1 : length * (split_columns ? 1 : columns) / elements_per_piece;
    chunks = std::clamp<Index>(wanted, 1, std::min<Index>(32, length));
    chunk_length = (length + chunks - 1) / chunks;
    values = out_has_columns ? columns : 1;
  }
};

/// Visits the grid. This code does not depend on the functor, so it is compiled once.
template <class T>
[[gnu::noinline]] void sum_planes(HostContext& context, Grid grid, OperandRef<T> into,
                                  std::initializer_list<OperandRef<T>> refs, SumKernel<T> kernel,
                                  void const* f) {
  if (grid.size() == 0) return;
  Walkers<T> operands{refs};
  Walker<T> out{into.data, *into.stride};
  bool const out_has_columns = out.stride[4] == 1;
  merge_extents(grid, operands, &out);
  SumPlan const plan{grid, out.stride, out_has_columns};
  Index const columns = grid.extent[4];
  using Sum = Wide<T>;
  auto const memory =
      context.allocate(static_cast<std::size_t>(plan.kept_rows * plan.chunks * plan.values) * sizeof(Sum));
  Sum* const partial = static_cast<Sum*>(memory.get());
  Index const items = plan.kept_rows * plan.chunks;
  Index const per_piece =
      std::clamp<Index>(elements_per_piece / std::max<Index>(1, grid.size() / items), 1, items);

  context.threads().run((items + per_piece - 1) / per_piece, [&](Index piece, int) {
    for (Index item = piece * per_piece; item < std::min((piece + 1) * per_piece, items); ++item) {
      Index const from = item % plan.chunks * plan.chunk_length;
      Index const stop = std::min(from + plan.chunk_length, plan.length);
      Sum* const sums = partial + item * plan.values;
      std::fill_n(sums, plan.values, Sum(0));
      // The place of the kept row; the summed rows begin there.
      Walkers<T> in = operands;
      Places<T> const kept = row_at(plan.kept, operands, item / plan.chunks);
      Index const width = out_has_columns ? widest_columns : columns;
      Index const most = out_has_columns ? widest_columns : joined_columns;
      for (Index column = 0; column < columns; column += width) {
        Index const first = plan.split_columns ? from : column;
        Index const count = plan.split_columns ? stop - from : std::min(width, columns - column);
        for (std::size_t i = 0; i < in.count; ++i) in.at[i].data = kept[i] + first * in.at[i].stride[4];
        Sum* const to = sums + (out_has_columns ? column : 0);
        auto const add = [&](T* const* data, Index const* row_stride, Index rows, Index wide) {
          if (!out_has_columns || wide == count) return kernel(f, data, row_stride, rows, wide, to);
          std::array<Sum, static_cast<std::size_t>(widest_columns)> joined{};
          kernel(f, data, row_stride, rows, wide, joined.data());
          for (Index i = 0; i < wide; ++i) to[i % count] += joined[static_cast<std::size_t>(i)];
        };
        walk_rows<T>(plan.summed, in, plan.split_columns ? 0 : from, plan.split_columns ? 1 : stop, count,
                     [&](T* const* data, Index const* row_stride, Index rows, Index) {
                       join_rows<T>(data, row_stride, in, rows, count, most, add);
                     });
      }
    }
  });

  for (Index row = 0; row < plan.kept_rows; ++row) {
    T* const to = row_at(plan.kept, Walkers<T>{{out.data, &out.stride}}, row)[0];
    Sum const* const from = partial + row * plan.chunks * plan.values;
    for (Index i = 0; i < plan.values; ++i) {
      Sum total = 0;
      for (Index chunk = 0; chunk < plan.chunks; ++chunk) total += from[chunk * plan.values + i];
      to[i] += static_cast<T>(total);
    }
  }
}

/// The SumKernel of functor F.
template <bool Columns, class T, class F, int... Inner>
void sum_plane(void const* f, T* const* data, Index const* row_stride, Index rows, Index columns,
               Wide<T>* total) {
  constexpr std::integer_sequence<int, Inner...> inner{};
  constexpr std::make_index_sequence<sizeof...(Inner)> all{};
  F const& summand = *static_cast<F const*>(f);
  if constexpr (Columns)
    sum_columns<T, F>(summand, data, row_stride, rows, columns, total, inner, all);
  else
    sum_rows<T, F>(summand, data, row_stride, rows, columns, total, inner, all);
}

/// out += f(operands...), summed over the axes along which `out` has stride 0.
template <class T, class F, class Out, class... O>
void sum(HostContext& context, Grid const& grid, F const& f, Out const& out, O const&... operands) {
  static_assert(sizeof...(O) <= most_operands, "A sum has at most twelve operands.");
  sum_planes<T>(context, grid, forget<T>(out), {forget<T>(operands)...}, &sum_plane < Out::inner == 1, T, F,
                O::inner... >, &f);
}

/// y = the softmax of each row of x, or its logarithm. x and y may be the same memory.
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
        T const log_sum = functional::log(sum);
        for (Index j = 0; j < columns; ++j) out[j] = (in[j] - greatest) - log_sum;
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
