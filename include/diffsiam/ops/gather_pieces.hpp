// gather_pieces: the samples of the whole batch, as one piece of it sees them. In the backward pass each
// piece gets the gradients that all pieces have for its own samples, added in the order of pieces.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/tensor/joint_batch.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// x (n, ...) of this piece -> (n pieces, ...), in the order of pieces.
template <class B>
struct GatherPieces {
  static constexpr std::string_view name = "gather_pieces";
  static constexpr InputList keeps_inputs{};
  JointBatch<B>* joint = nullptr;  ///< the batch, borrowed; never null

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() == 0) fail<ShapeError>(name, "(n, ...)", in[0]);
    return in[0].with_samples(in[0].samples() * joint->pieces());
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  void forward(Forward<B> const& pass) const { joint->gather(pass.in[0], pass.out); }
  void backward(Backward<B> const& pass) const {
    if (auto* dx = pass.gradient(0)) joint->add_sum(pass.dy, *dx);
  }
};

/// The samples of all pieces of `joint`, under each other; x itself if the batch is not divided (null).
template <Value X, class B>
X gather_pieces(X const& x, JointBatch<B>* joint) {
  if (joint == nullptr) return x;
  return evaluate(GatherPieces<B>{joint}, x);
}

}  // namespace diffsiam::ops
