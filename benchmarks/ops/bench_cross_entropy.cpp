// Cross entropies: of NT-Xent over two views of a batch, and of attributes.
#include <diffsiam/ops/cross_entropy.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const softmax = [](auto const& logits, auto const& targets) {
  return ops::softmax_cross_entropy(logits, targets);
};
auto const binary = [](auto const& logits, auto const& targets) {
  return ops::binary_cross_entropy(logits, targets);
};

[[maybe_unused]] bool const registered =
    measure("softmax_cross_entropy",
            op_case("fashion NT-Xent", {{128, 128}}, {{Kind::probabilities, {128, 128}}}, softmax),
            op_case("celeba64 NT-Xent", {{16, 16}}, {{Kind::probabilities, {16, 16}}}, softmax)) &&
    measure("binary_cross_entropy", op_case("fashion classes", {{64, 10}}, {{Kind::unit, {64, 10}}}, binary),
            op_case("celeba64 attributes", {{8, 40}}, {{Kind::unit, {8, 40}}}, binary));

}  // namespace
