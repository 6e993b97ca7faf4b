// Extents are not negative; a constant shape that has one is refused by the compiler.
// EXPECT: Shape: expected extents that are not negative
#include <diffsiam/core/shape.hpp>

#ifdef TWIN
constexpr diffsiam::Shape shape{2, 3};
#else
constexpr diffsiam::Shape shape{2, -3};
#endif

static_assert(shape.rank() == 2);
