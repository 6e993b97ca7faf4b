// What a mask lets through: the subsets of z that a time-step reveals.
#include <diffsiam/ops/select.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const select = [](auto const& x, auto const& mask) { return ops::select(x, mask); };

[[maybe_unused]] bool const registered =
    measure("select", op_case("fashion z", {{64, 64}}, {{Kind::mask, {64, 64}}}, select),
            op_case("celeba64 z", {{8, 512}}, {{Kind::mask, {8, 512}}}, select));

}  // namespace
