// Rows of length 1, and cosines of them: projections of two views.
#include <diffsiam/ops/normalize.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const unit = [](auto const& x) { return ops::normalize(x); };
auto const cosine = [](auto const& x, auto const& y) { return ops::mean_cosine_similarity(x, y); };

[[maybe_unused]] bool const registered =
    measure("normalize", op_case("fashion", {{128, 64}}, unit), op_case("celeba64", {{16, 2048}}, unit)) &&
    measure("mean_cosine_similarity", op_case("fashion", {{64, 64}, {64, 64}}, cosine),
            op_case("celeba64", {{8, 2048}, {8, 2048}}, cosine));

}  // namespace
