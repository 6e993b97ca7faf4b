// The correlations of two views, x^T y, and a product as it is.
#include <diffsiam/ops/matmul.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure_products;

auto const product = [](auto const& x, auto const& y) { return ops::matmul(x, y); };
auto const correlation = [](auto const& x, auto const& y) {
  return ops::matmul(x, y, {.transpose_a = true});
};

[[maybe_unused]] bool const registered =
    measure_products("matmul", op_case("fashion 64x64", {{64, 64}, {64, 64}}, product),
                     op_case("celeba64 512x512", {{512, 512}, {512, 512}}, product)) &&
    measure_products("matmul x^T y", op_case("fashion z", {{128, 64}, {128, 64}}, correlation),
                     op_case("celeba64 z", {{128, 512}, {128, 512}}, correlation));

}  // namespace
