// reveal: the part of z that the decoder may read at the time-step of each sample, given by the model's
// partition.
#pragma once

#include <array>

#include <diffsiam/core/strided.hpp>
#include <diffsiam/encoder/timestep_partition.hpp>
#include <diffsiam/functional/lookup.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/lookup.hpp>
#include <diffsiam/ops/select.hpp>
#include <diffsiam/tensor/iota.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::encoder {

/// Which columns of z, relative to the subset i(t) of a sample's time-step.
enum class SubsetColumns { revealed, newest, preceding };

/// 1 where a column of z is among `columns` at t, else 0: t (n) -> (n, dims). Throws RangeError for t out of
/// range.
template <class B>
[[nodiscard]] Tensor<B> column_mask(TimestepPartition const& partition, Tensor<B> const& t,
                                    SubsetColumns columns) {
  using T = typename B::Scalar;
  ops::require_timesteps("reveal", t, partition.timesteps());
  auto& context = t.context();
  Index const k = partition.subsets();
  Tensor<B> const begins{context, {k}}, ends{context, {k}};
  std::array<T, 128> begin{}, end{};
  for (Index from = 0; from < k; from += 128) {
    Index const count = std::min<Index>(128, k - from);
    for (Index i = 0; i < count; ++i) {
      auto const at = static_cast<std::size_t>(i);
      auto const subset = static_cast<int>(from + i);
      begin[at] = static_cast<T>(columns == SubsetColumns::newest ? partition.begin(subset) : 0);
      end[at] = static_cast<T>(columns == SubsetColumns::preceding ? partition.begin(subset)
                                                                   : partition.end(subset));
    }
    B::upload(context, begin.data(), begins.data() + from, count);
    B::upload(context, end.data(), ends.data() + from, count);
  }
  Index const dims = partition.dims();
  Tensor<B> const column = iota<B>(context, dims);
  Tensor<B> mask{context, {t.size(), dims}};
  SampleGrid const g{t.size(), 1, dims};
  B::for_each(context, g.grid(),
              functional::ColumnsOfSubset<T>{begins.data(), ends.data(), k, partition.timesteps()},
              g.full(mask.data()), g.per_sample(t.data()), g.per_channel(column.data()));
  return mask;
}

/// z (n, dims) with the columns hidden at t (n) set to 0, whatever they hold. In the mode stop_preceding the
/// value is the same, but the gradient reaches the newest subset only. The mode dual consists of two calls,
/// one in each of these modes.
template <FlowingValue Z, class B>
[[nodiscard]] auto reveal(TimestepPartition const& partition, Z const& z, Tensor<B> const& t,
                          GradientMode mode = GradientMode::joint) {
  require_shape("reveal", {t.size(), partition.dims()}, z.shape(), "z is as wide as its partition");
  if (mode == GradientMode::stop_preceding) {
    return ops::add(ops::select(z, column_mask(partition, t, SubsetColumns::newest)),
                    ops::select(detach(z), column_mask(partition, t, SubsetColumns::preceding)));
  }
  if (mode == GradientMode::dual) {
    fail<ConfigError>("reveal", "joint or stop_preceding", "dual",
                      "dual is the sum of two losses, one in each mode");
  }
  auto const mask = column_mask(partition, t, SubsetColumns::revealed);
  using Result = decltype(ops::add(ops::select(z, mask), ops::select(z, mask)));
  return Result{ops::select(z, mask)};
}

}  // namespace diffsiam::encoder
