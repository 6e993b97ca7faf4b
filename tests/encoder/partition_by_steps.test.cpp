#include <cmath>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/encoder/partition_by_steps.hpp>

using namespace diffsiam;
using encoder::partition_by_lost_steps;
using test::contains;

namespace {

std::vector<int> ends_of(encoder::TimestepPartition const& partition) {
  std::vector<int> ends;
  for (int i = 0; i < partition.subsets(); ++i) ends.push_back(partition.end(i));
  return ends;
}

}  // namespace

TEST_CASE("A dim is in the subset whose steps hold the one at which it is lost") {
  // Subsets of 100 steps, four of them: [0, 100) has 5 and 99.5, [100, 200) has 100, [200, 300) three.
  std::vector<double> const steps{5, 99.5, 100, 210, 220, 299, 301, 400};
  auto const partition = partition_by_lost_steps(400, 4, steps);
  CHECK(partition.timesteps() == 400);
  CHECK(ends_of(partition) == std::vector<int>{2, 3, 6, 8});
}

TEST_CASE("No subset is empty, wherever the dims crowd") {
  CHECK(ends_of(partition_by_lost_steps(400, 4, std::vector<double>{1, 2, 3, 4, 5, 6})) ==
        std::vector<int>{3, 4, 5, 6});
  CHECK(ends_of(partition_by_lost_steps(400, 4, std::vector<double>{380, 390, 395, 396, 397, 398})) ==
        std::vector<int>{1, 2, 3, 6});
  CHECK(ends_of(partition_by_lost_steps(400, 4, std::vector<double>{0, 150, 399, 399})) ==
        std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("Steps that do not ascend are refused") {
  CHECK_THROWS_WITH(partition_by_lost_steps(400, 2, std::vector<double>{5, 4, 9}),
                    contains("partition_by_lost_steps") && contains("at least 5") && contains("got 4"));
  CHECK_THROWS_AS(partition_by_lost_steps(400, 2, std::vector<double>{-1, 4}), RangeError);
  CHECK_THROWS_AS(partition_by_lost_steps(400, 2, std::vector<double>{0, NAN}), RangeError);
  CHECK_THROWS_WITH(partition_by_lost_steps(400, 4, std::vector<double>{1, 2, 3}), contains("4 subsets"));
}
