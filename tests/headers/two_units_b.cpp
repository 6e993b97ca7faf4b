// The second translation unit of two_units_a.cpp.
#include <every_header.hpp>

int second_unit();

int second_unit() {
  return 0;
}
