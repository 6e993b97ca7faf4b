// Dropout, whose mask is drawn again on the way back.
#include <diffsiam/ops/dropout.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_images("dropout", [](auto const& x) { return ops::dropout(x, 0.1, {.seed = 1}); });

}  // namespace
