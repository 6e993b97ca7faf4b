#include "ranks.hpp"

#include <diffsiam/eval/spearman.hpp>

bool same_order(std::span<double const> a, std::span<double const> b) {
  return diffsiam::eval::spearman_r(a, b) > 0.999;
}
