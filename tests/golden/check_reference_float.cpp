#include <tests/golden/check_case.hpp>

#include <diffsiam/backend/reference/reference.hpp>

template void diffsiam::golden::check_case<diffsiam::backend::Reference<float>>(File const&, Report&);
