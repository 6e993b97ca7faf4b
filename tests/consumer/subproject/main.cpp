// The least a user can do with the library.
#include <diffsiam/core/shape.hpp>

int main() {
  return diffsiam::Shape{2, 3}.size() == 6 ? 0 : 1;
}
