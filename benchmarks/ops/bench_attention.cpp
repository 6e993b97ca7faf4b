// Attention where the networks have it: after two halvings of the side, one head.
#include <diffsiam/ops/attention.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure_products;

auto const one_head = [](auto const& qkv) { return ops::attention(qkv, 1); };

[[maybe_unused]] bool const registered =
    measure_products("attention", op_case("fashion 7x7x64", {{64, 7, 7, 192}}, one_head),
                     op_case("celeba64 16x16x256", {{8, 16, 16, 768}}, one_head),
                     op_case("one picture 7x7x64", {{1, 7, 7, 192}}, one_head));

}  // namespace
