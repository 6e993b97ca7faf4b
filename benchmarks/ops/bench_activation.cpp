// Activations on their own; most are fused to a norm (bench_group_norm).
#include <diffsiam/ops/activation.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

[[maybe_unused]] bool const registered =
    bench::measure_images("silu", [](auto const& x) { return ops::silu(x); }) &&
    bench::measure_images("relu", [](auto const& x) { return ops::relu(x); }) &&
    bench::measure_images("log", [](auto const& x) { return ops::log(x); }) &&
    bench::measure_images("sqrt", [](auto const& x) { return ops::sqrt(x); }) &&
    bench::measure_images("abs", [](auto const& x) { return ops::abs(x); });

}  // namespace
