// Linear layers: conditioning of a block, a head over z, similarities of all views, and 1x1 over pixels.
#include <diffsiam/ops/linear.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure_products;

auto const linear = [](auto const& x, auto const& w, auto const& b) { return ops::linear(x, w, b); };
auto const similarity = [](auto const& z) { return ops::linear(z, z); };

[[maybe_unused]] bool const registered =
    measure_products(
        "linear", op_case("fashion conditioning 128->128", {{64, 128}, {128, 128}, {128}}, linear),
        op_case("fashion pixels 14x14 32->96", {{64, 14, 14, 32}, {96, 32}, {96}}, linear),
        op_case("celeba64 conditioning 256->1024", {{8, 256}, {1024, 256}, {1024}}, linear),
        op_case("celeba64 pixels 16x16 256->768", {{8, 16, 16, 256}, {768, 256}, {768}}, linear)) &&
    measure_products("linear z z^T", op_case("fashion NT-Xent", {{128, 64}}, similarity),
                     op_case("celeba64 NT-Xent", {{16, 512}}, similarity));

}  // namespace
