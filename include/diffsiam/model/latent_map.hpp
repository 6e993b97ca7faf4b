// LatentMap: another basis of the latent space, z' = A (z - m), and its inverse. Folded into the last layer
// of the encoder and into the layer of the decoder that reads z, it changes what the dims of z are, and
// nothing else: where all of z is revealed, the model predicts the same but for rounding. Which dims come
// first then says which subset holds what.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/nn/linear.hpp>

namespace diffsiam::model {

/// z' = forward (z - mean) and z = inverse z' + mean; both matrices are (dims, dims), row-major.
struct LatentMap {
  std::vector<double> mean, forward, inverse;

  /// d, the width of z.
  [[nodiscard]] Index dims() const { return static_cast<Index>(mean.size()); }
};

namespace detail {

/// a (n, k) times b (k, m), row-major.
[[nodiscard]] inline std::vector<double> product_of(std::vector<double> const& a,
                                                    std::vector<double> const& b, std::size_t k) {
  std::size_t const n = a.size() / k, m = b.size() / k;
  std::vector<double> result(n * m);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t l = 0; l < k; ++l)
      for (std::size_t j = 0; j < m; ++j) result[i * m + j] += a[i * k + l] * b[l * m + j];
  return result;
}

/// Throws ShapeError unless the sizes are those of `dims` dims, and ConfigError unless inverse x forward is
/// the identity, to 1e-6.
inline void require_latent_map(std::string_view operation, LatentMap const& map, Index dims) {
  auto const d = static_cast<std::size_t>(dims);
  if (map.mean.size() != d || map.forward.size() != d * d || map.inverse.size() != d * d)
    fail<ShapeError>(operation, {"a map of ", dims, " dims, as wide as z"},
                     {map.mean.size(), " means and matrices of ", map.forward.size(), " and ",
                      map.inverse.size(), " entries"});
  std::vector<double> const identity = product_of(map.inverse, map.forward, d);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j)
      if (!(std::abs(identity[i * d + j] - (i == j ? 1.0 : 0.0)) < 1e-6))
        fail<ConfigError>(operation, "an inverse that is the inverse of forward",
                          {"a product of ", identity[i * d + j], " at (", i, ", ", j, ")"});
}

}  // namespace detail

/// Changes the weights of the encoder's linear head and of the decoder's latent_embedding(), so that the
/// encoder returns z' and the decoder reads it. All copies of encoder and decoder share these weights. Throws
/// ShapeError for a map of other dims, and ConfigError for an inverse that is none.
///
///     auto const encoder = pilot.encoder().with_partition(partition);
///     fold_latent_map(encoder, pilot.decoder(), map);
///     DiffSiam model{encoder, pilot.decoder()};
template <class Encoder, class Decoder>
void fold_latent_map(Encoder const& encoder, Decoder const& decoder, LatentMap const& map) {
  static_assert(
      requires { encoder.head().linear(); },
      "The map is folded into one linear layer: the encoder needs a LinearHead.");
  detail::require_latent_map("fold_latent_map", map, encoder.latent_dims());
  if (decoder.latent_dims() != encoder.latent_dims())
    fail<ConfigError>("fold_latent_map", {"a decoder that reads ", encoder.latent_dims(), " dims"},
                      decoder.latent_dims());
  auto const d = static_cast<std::size_t>(map.dims());
  auto const put = [](auto const& parameter, std::vector<double> const& values) {
    parameter.value().assign(std::span<double const>{values});
  };

  // z' = A (W h + b - m)
  auto const& head = encoder.head().linear();
  std::vector<double> bias = head.bias().value().template values<double>();
  for (std::size_t i = 0; i < d; ++i) bias[i] -= map.mean[i];
  put(head.weight(), detail::product_of(map.forward, head.weight().value().template values<double>(), d));
  put(head.bias(), detail::product_of(map.forward, bias, d));

  // L z + l = L A^-1 z' + (l + L m)
  auto const& reading = decoder.latent_embedding();
  std::vector<double> const weight = reading.weight().value().template values<double>();
  std::vector<double> shift = detail::product_of(weight, map.mean, d);
  std::vector<double> const before = reading.bias().value().template values<double>();
  for (std::size_t i = 0; i < shift.size(); ++i) shift[i] += before[i];
  put(reading.weight(), detail::product_of(weight, map.inverse, d));
  put(reading.bias(), shift);
}

}  // namespace diffsiam::model
