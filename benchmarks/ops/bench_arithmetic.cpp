// Sums, products and quotients, element by element.
#include <diffsiam/ops/arithmetic.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_pairs("add", [](auto const& x, auto const& y) { return ops::add(x, y); }) &&
    bench::measure_pairs("multiply", [](auto const& x, auto const& y) { return ops::multiply(x, y); }) &&
    bench::measure_pairs("divide", [](auto const& x, auto const& y) { return ops::divide(x, y); }) &&
    measure("add a row",
            op_case("fashion z", {{64, 64}, {64}}, [](auto const& x, auto const& y) { return x + y; }),
            op_case("celeba64 z", {{512, 512}, {512}}, [](auto const& x, auto const& y) { return x + y; })) &&
    bench::measure_images("scale", [](auto const& x) { return ops::scale(x, 0.5); });

}  // namespace
