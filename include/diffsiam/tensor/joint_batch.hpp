// JointBatch: the batch that a training step divides into pieces, as one of the pieces sees it. Each piece
// has a tape of its own; what looks at the whole batch, such as batch norm, asks the other pieces here.
#pragma once

#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam {

/// All pieces have the same number of samples, and call the same functions in the same order.
template <class B>
class JointBatch {
 public:
  JointBatch() = default;
  JointBatch(JointBatch const&) = delete;
  JointBatch& operator=(JointBatch const&) = delete;
  virtual ~JointBatch() = default;

  /// At least 1; those of other processes count.
  [[nodiscard]] virtual int pieces() const = 0;
  /// The number of this piece, in [0, pieces()).
  [[nodiscard]] virtual int piece() const = 0;
  /// Whether this piece proposes the next values of buffers. One piece in each process does.
  [[nodiscard]] virtual bool proposes() const = 0;
  /// all (pieces, mine...) = what all pieces give, in the order of pieces.
  virtual void gather(Tensor<B> const& mine, Tensor<B> const& all) = 0;
  /// mine += the sum over pieces of what each gives for this one, `for_all` (pieces, mine...), in a fixed
  /// order.
  virtual void add_sum(Tensor<B> const& for_all, Tensor<B> const& mine) = 0;
};

}  // namespace diffsiam
