#include <array>

#include <ranks.hpp>

#include <diffsiam/eval/spearman.hpp>

int main() {
  std::array const a{1.0, 2.0, 3.0}, b{10.0, 20.0, 40.0};
  return same_order(a, b) && diffsiam::eval::average_ranks(b).back() == 3.0 ? 0 : 1;
}
