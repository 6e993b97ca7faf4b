// A shape has four extents at the most; a constant one of five is refused by the compiler.
// EXPECT: Shape: expected at most 4 extents
#include <diffsiam/core/shape.hpp>

#ifdef TWIN
constexpr diffsiam::Shape shape{1, 2, 3, 4};
#else
constexpr diffsiam::Shape shape{1, 2, 3, 4, 5};
#endif

static_assert(shape.rank() == 4);
