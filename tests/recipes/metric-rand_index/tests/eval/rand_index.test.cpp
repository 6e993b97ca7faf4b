#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/rand_index.hpp>

namespace diffsiam::test {

TEST_CASE("The Rand index counts the pairs on which two groupings agree") {
  std::vector<int> const a{0, 0, 1, 1};
  CHECK(eval::rand_index(a, std::vector<int>{7, 7, 3, 3}) == 1);
  // Of the six pairs, (0, 1) and the four across agree in part: {0, 1} and {2, 3} are taken apart.
  CHECK(eval::rand_index(a, std::vector<int>{0, 1, 0, 1}) == Approx(2.0 / 6));
}

TEST_CASE("The Rand index refuses what has no pairs") {
  std::vector<int> const one{0};
  CHECK_THROWS_WITH(eval::rand_index(one, one), contains("rand_index") && contains("1 and 1"));
}

}  // namespace diffsiam::test
