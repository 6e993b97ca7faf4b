// Every header, once more in two_units_b.cpp: a definition that is not inline does not link.
#include <every_header.hpp>

int second_unit();

int main() {
  return second_unit();
}
