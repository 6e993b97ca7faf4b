// How a convolution is computed by oneDNN: the batch is divided by shape and never by the number of threads,
// and each piece is the work of one primitive. Pieces have at most two sizes, so a plan has at most two
// primitives.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include <diffsiam/backend/onednn/api.hpp>
#include <diffsiam/backend/onednn/guard.hpp>

namespace diffsiam::backend::onednn {

/// The convolution, without and with a bias, and its two gradients.
enum class Pass { forward, forward_bias, gradient_input, gradient_weight };

/// A batch that is divided into pieces of nearly the same size. Its units are images, or rows for 1x1 kernels
/// at stride 1.
struct BatchCut {
  ConvGeometry g;
  Index units, pieces;

  BatchCut(ConvGeometry const& geometry, Pass pass)
      : g(geometry), units(by_rows() ? g.n * g.h : g.n), pieces(std::min<Index>(16, units)) {
    // Each part of the gradient has a copy of the weights, so there are fewer parts if there are many
    // weights.
    constexpr Index most = Index{1} << 21;
    if (pass == Pass::gradient_weight) pieces = std::clamp<Index>(most / (g.out * g.depth()), 1, pieces);
  }

  [[nodiscard]] bool by_rows() const { return g.kernel == 1 && g.stride == 1; }
  [[nodiscard]] Index first(Index piece) const { return piece * units / pieces; }
  [[nodiscard]] Index size(Index piece) const { return first(piece + 1) - first(piece); }
  [[nodiscard]] Index smaller() const { return units / pieces; }
  [[nodiscard]] bool equal() const { return units % pieces == 0; }
  /// Elements of a unit of the input and of the output.
  [[nodiscard]] Index x_unit() const { return (by_rows() ? 1 : g.h) * g.w * g.in; }
  [[nodiscard]] Index y_unit() const { return (by_rows() ? 1 : g.out_h()) * g.out_w() * g.out; }
  /// The convolution of a piece of `size` units.
  [[nodiscard]] ConvGeometry of(Index size) const {
    ConvGeometry piece = g;
    if (by_rows())
      piece.n = 1, piece.h = size;
    else
      piece.n = size;
    return piece;
  }
};

/// What oneDNN plans for one size of piece.
struct PieceDescriptor {
  dnnl::primitive_desc_base primitive;
  Descriptor x, y, weights, scratchpad;
};

/// The descriptors of a convolution. They are cheap enough for an estimate of memory.
struct Plan {
  BatchCut cut;
  Pass pass;
  std::vector<PieceDescriptor> pieces;  ///< the smaller size, then the larger size if there is one
  bool reorders;                        ///< whether oneDNN needs the weights in its own layout

  Plan(dnnl::engine const& engine, ConvGeometry const& g, Pass which) : cut(g, which), pass(which) {
    Serial const serial;
    pieces.push_back(describe_piece(engine, cut.smaller(), nullptr));
    // Both sizes share the weights.
    if (!cut.equal()) {
      Descriptor const weights = pieces[0].weights;
      pieces.push_back(describe_piece(engine, cut.smaller() + 1, &weights));
    }
    reorders = pieces[0].weights != plain_weights(g);
  }

  [[nodiscard]] std::size_t index(Index piece) const { return cut.size(piece) == cut.smaller() ? 0 : 1; }

  // Parts of the workspace of a call, in bytes.
  /// One copy of the weights, or of their gradient.
  [[nodiscard]] std::size_t weights_bytes() const { return rounded(pieces[0].weights.get_size()); }
  [[nodiscard]] std::size_t shared_bytes() const {
    if (pass == Pass::gradient_weight) return static_cast<std::size_t>(cut.pieces) * weights_bytes();
    return reorders ? weights_bytes() : 0;
  }
  [[nodiscard]] std::size_t scratchpad_bytes() const {
    std::size_t most = 0;
    for (auto const& piece : pieces) most = std::max(most, piece.scratchpad.get_size());
    return rounded(most);
  }
  /// The scratchpad of a thread, and its dx before it is added.
  [[nodiscard]] std::size_t worker_bytes() const {
    std::size_t const dx = pass == Pass::gradient_input ? pieces.back().x.get_size() : 0;
    return scratchpad_bytes() + rounded(dx);
  }
  [[nodiscard]] std::size_t bytes(int threads) const {
    return shared_bytes() + static_cast<std::size_t>(threads) * worker_bytes();
  }

 private:
  [[nodiscard]] static std::size_t rounded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

  [[nodiscard]] PieceDescriptor describe_piece(dnnl::engine const& engine, Index size,
                                               Descriptor const* weights) const {
    auto const d = ConvDescriptors::of(cut.of(size), pass == Pass::forward_bias, weights);
    auto const as_piece = [&](auto const& primitive, Descriptor const& chosen) {
      // NOLINTNEXTLINE(cppcoreguidelines-slicing): the base is the handle, and all that is needed.
      return PieceDescriptor{primitive, d.x, d.y, chosen, primitive.scratchpad_desc()};
    };
    if (pass == Pass::forward || pass == Pass::forward_bias) {
      auto const primitive = forward(engine, d);
      return as_piece(primitive, primitive.weights_desc());
    }
    auto const hint = forward(engine, ConvDescriptors::of(cut.of(size), false, nullptr));
    if (pass == Pass::gradient_input) {
      auto const primitive = gradient_input(engine, d, hint);
      return as_piece(primitive, primitive.weights_desc());
    }
    auto const primitive = gradient_weight(engine, d, hint);
    return as_piece(primitive, primitive.diff_weights_desc());
  }
};

}  // namespace diffsiam::backend::onednn
