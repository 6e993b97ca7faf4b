// The same elements under another shape: copied forward, added backward.
#include <diffsiam/ops/reshape.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;

[[maybe_unused]] bool const registered =
    bench::measure_images("flatten", [](auto const& x) { return ops::flatten(x); });

}  // namespace
