// A fixed exponent: the square is a product, others are std::pow.
#include <diffsiam/ops/power.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_images("pow 2", [](auto const& x) { return ops::pow(x, 2); }) &&
    bench::measure_images("pow 3", [](auto const& x) { return ops::pow(x, 3); });

}  // namespace
