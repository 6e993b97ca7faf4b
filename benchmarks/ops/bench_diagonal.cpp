// The diagonal of the matrix of correlations of two views.
#include <diffsiam/ops/diagonal.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const diagonal = [](auto const& x) { return ops::diagonal(x); };

[[maybe_unused]] bool const registered = measure("diagonal", op_case("fashion z", {{64, 64}}, diagonal),
                                                 op_case("celeba64 z", {{512, 512}}, diagonal));

}  // namespace
