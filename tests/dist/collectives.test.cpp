#include <array>
#include <string>
#include <vector>

#include <tests/dist/ranks.hpp>

#include <diffsiam/dist/collectives.hpp>
#include <diffsiam/dist/single_process.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::ThreadRank;

TEST_CASE("Sums over ranks are added in the order of ranks", "[dist]") {
  // 1 + 1e8 - 1e8 in float: only from left to right it is 0.
  std::array<std::vector<float>, 3> values{
      std::vector<float>{1, 2, 3, 4}, {1e8F, 20, 30, 40}, {-1e8F, 200, 300, 400}};
  on_ranks(3, [&](ThreadRank& rank) {
    dist::all_reduce_sum<float>(rank, values[static_cast<std::size_t>(rank.rank())]);
  });
  for (auto const& of_rank : values) CHECK(of_rank == std::vector<float>{0, 222, 333, 444});
}

TEST_CASE("One process is a run of one rank", "[dist]") {
  dist::SingleProcess alone;
  std::vector<double> values{1, 2, 3};
  dist::all_reduce_sum<double>(alone, values);
  CHECK(values == std::vector<double>{1, 2, 3});
  CHECK(dist::all_gather<double>(alone, values) == values);
  CHECK(dist::all_gather_text(alone, "abc") == std::vector<std::string>{"abc"});
  CHECK_NOTHROW(dist::require_same(alone, "settings", "x"));
}

TEST_CASE("Texts of different lengths are gathered", "[dist]") {
  std::array<std::vector<std::string>, 2> all;
  on_ranks(2, [&](ThreadRank& rank) {
    all[static_cast<std::size_t>(rank.rank())] =
        dist::all_gather_text(rank, rank.rank() == 0 ? "" : "two words");
  });
  CHECK(all[0] == std::vector<std::string>{"", "two words"});
  CHECK(all[1] == all[0]);
}

TEST_CASE("All ranks refuse what is not the same on all", "[dist]") {
  auto const ends = outcomes(3, [](ThreadRank& rank) {
    dist::require_same(rank, "settings", rank.rank() == 2 ? "seed 1\nrate 3\n" : "seed 1\nrate 2\n");
  });
  for (auto const& end : ends) {
    CHECK_THAT(message_of(end), contains("the same settings on all ranks, 'rate 2' as on rank 0"));
    CHECK_THAT(message_of(end), contains("'rate 3' on rank 2"));
  }
  CHECK_NOTHROW(on_ranks(3, [](ThreadRank& rank) { dist::require_same(rank, "settings", "seed 1"); }));
}
