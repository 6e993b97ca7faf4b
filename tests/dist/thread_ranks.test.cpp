#include <array>
#include <string>
#include <vector>

#include <tests/dist/ranks.hpp>

#include <diffsiam/dist/single_process.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::ThreadRank;

TEST_CASE("Blocks go from every rank to every rank", "[dist]") {
  std::array<std::vector<int>, 3> to_all, gathered;
  on_ranks(3, [&](ThreadRank& rank) {
    int const r = rank.rank();
    std::vector<int> const sent{10 * r, 10 * r + 1, 10 * r + 2};
    auto& received = to_all[static_cast<std::size_t>(r)];
    auto& all = gathered[static_cast<std::size_t>(r)];
    received.resize(3);
    all.resize(3);
    // Both are under way at the same time.
    auto first = rank.start_all_to_all(sent.data(), received.data(), sizeof(int));
    auto second = rank.start_all_gather(sent.data(), all.data(), sizeof(int));
    second.wait();
    first.wait();
    while (!first.test()) FAIL();
  });
  for (int r = 0; r < 3; ++r) {
    CHECK(to_all[static_cast<std::size_t>(r)] == std::vector<int>{r, 10 + r, 20 + r});
    CHECK(gathered[static_cast<std::size_t>(r)] == std::vector<int>{0, 10, 20});
  }
}

TEST_CASE("The data of one rank reach the others", "[dist]") {
  std::array<int, 3> values{1, 2, 3};
  on_ranks(3, [&](ThreadRank& rank) {
    rank.broadcast(&values[static_cast<std::size_t>(rank.rank())], sizeof(int), 1);
    rank.barrier();
  });
  CHECK(values == std::array<int, 3>{2, 2, 2});
}

TEST_CASE("A rank that does not come is named by those that wait", "[dist]") {
  auto const ends = outcomes(
      3,
      [](ThreadRank& rank) {
        int const mine = rank.rank();
        std::array<int, 3> all{};
        if (mine != 1) rank.start_all_gather(&mine, all.data(), sizeof(int)).wait();
      },
      std::chrono::milliseconds{50});
  CHECK_THAT(message_of(ends[0]), contains("rank 1: no answer within 50 ms"));
  CHECK(ends[1] == nullptr);
  CHECK_THAT(message_of(ends[2]), contains("rank 1: no answer within 50 ms"));
}

TEST_CASE("A rank that fails ends what the others wait for", "[dist]") {
  auto const ends = outcomes(2, [](ThreadRank& rank) {
    if (rank.rank() == 1) return rank.announce("the disk is full");
    rank.barrier();
  });
  CHECK_THAT(message_of(ends[0]), contains("rank 1: the disk is full"));
}

TEST_CASE("Ranks that call different functions are told", "[dist]") {
  auto const ends = outcomes(2, [](ThreadRank& rank) {
    int const mine = 1;
    std::array<int, 2> all{};
    try {
      if (rank.rank() == 0)
        rank.start_all_gather(&mine, all.data(), sizeof(int)).wait();
      else
        rank.barrier();
    } catch (...) {
      rank.announce("out of step");
      throw;
    }
  });
  CHECK_THAT(message_of(ends[0]) + message_of(ends[1]), contains("all ranks call the same functions"));
}

TEST_CASE("There is at least one rank", "[dist]") {
  CHECK_THROWS_WITH(dist::ThreadRanks{0}, contains("ThreadRanks: expected 1 rank or more, got 0"));
  dist::ThreadRanks ranks{2};
  CHECK_THROWS_WITH((ThreadRank{ranks, 2}), contains("a rank in [0, 2)"));
}
