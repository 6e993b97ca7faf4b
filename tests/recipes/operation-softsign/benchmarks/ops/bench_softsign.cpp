// softsign on its own.
#include <diffsiam/ops/softsign.hpp>

#include "../support/operations.hpp"

namespace {

[[maybe_unused]] bool const registered =
    bench::measure_images("softsign", [](auto const& x) { return diffsiam::ops::softsign(x); });

}  // namespace
