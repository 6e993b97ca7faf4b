// Sums and products, element by element.
#include <diffsiam/ops/arithmetic.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_pairs("add", [](auto const& x, auto const& y) { return ops::add(x, y); }) &&
    bench::measure_pairs("multiply", [](auto const& x, auto const& y) { return ops::multiply(x, y); }) &&
    bench::measure_images("scale", [](auto const& x) { return ops::scale(x, 0.5); });

}  // namespace
