// Rows, columns and channels repeated to the shape of what they meet.
#include <diffsiam/ops/broadcast.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered = measure(
    "broadcast_to",
    op_case("fashion row 64", {{64}}, [](auto const& x) { return ops::broadcast_to(x, {64, 64}); }),
    op_case("fashion column 64", {{64, 1}}, [](auto const& x) { return ops::broadcast_to(x, {64, 64}); }),
    op_case("celeba64 row 512", {{512}}, [](auto const& x) { return ops::broadcast_to(x, {512, 512}); }),
    op_case("celeba64 column 512", {{512, 1}},
            [](auto const& x) { return ops::broadcast_to(x, {512, 512}); }),
    op_case("celeba64 channels 64x64x64", {{64}},
            [](auto const& x) { return ops::broadcast_to(x, {8, 64, 64, 64}); }));

}  // namespace
