// Matrices of features with their axes exchanged.
#include <diffsiam/ops/transpose.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const transpose = [](auto const& x) { return ops::transpose(x); };

[[maybe_unused]] bool const registered = measure(
    "transpose", op_case("fashion z", {{64, 64}}, transpose), op_case("celeba64 z", {{512, 512}}, transpose),
    op_case("fashion pixels of a channel", {{64, 784, 32}}, transpose));

}  // namespace
