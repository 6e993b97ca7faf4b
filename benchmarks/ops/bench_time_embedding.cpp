// Sines and cosines of time-steps. Nothing flows back.
#include <diffsiam/ops/time_embedding.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    measure("time_embedding",
            bench::constant_case("fashion", {{Kind::time_steps, {64}}},
                                 [](auto const& t) { return ops::time_embedding(t, 32); }),
            bench::constant_case("celeba64", {{Kind::time_steps, {8}}},
                                 [](auto const& t) { return ops::time_embedding(t, 64); }));

}  // namespace
