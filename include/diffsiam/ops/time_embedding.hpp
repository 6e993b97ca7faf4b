// time_embedding: [cos, sin] of t exp(-ln(10000) i / (dims / 2)) for 0 <= i < dims / 2 (Ho et al., 2020,
// after Vaswani et al., 2017).
#pragma once

#include <cmath>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/sinusoid.hpp>
#include <diffsiam/tensor/iota.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// The input t (n) holds integer time-steps as they are, and gets no gradient. The result is (n, dims), where
/// dims is even.
struct TimeEmbedding {
  static constexpr std::string_view name = "time_embedding";
  static constexpr InputList keeps_inputs{};
  Index dims = 32;            ///< of the result, even
  double max_period = 10000;  ///< the period of the slowest sinusoid is 2 pi times this, or nearly so

  [[nodiscard]] Shape shape(Shapes in) const {
    require_rank(name, 1, in[0], "(n)");
    if (dims < 2 || dims % 2 != 0) fail<ConfigError>(name, "an even number of dims", dims);
    return {in[0][0], dims};
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size() * dims); }

  template <class B>
  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    Index const half = dims / 2;
    SampleGrid const g{pass.in[0].size(), 1, half};
    Tensor<B> const indices = iota<B>(pass.context, half);
    B::for_each(pass.context, g.grid(),
                functional::SinusoidPair{std::log(max_period), static_cast<double>(half)},
                g.full(pass.out.data(), dims), g.full(pass.out.data() + half, dims),
                g.per_sample(pass.in[0].data()), g.per_channel(indices.data()));
  }
  template <class B>
  void backward(Backward<B> const&) const {}
};

/// t (n) -> (n, dims). Throws ConfigError for odd dims, ShapeError unless t has rank 1.
template <Value X>
auto time_embedding(X const& t, Index dims) {
  return evaluate(TimeEmbedding{dims}, t);
}

}  // namespace diffsiam::ops
