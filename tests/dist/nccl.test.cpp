// NcclRank without a GPU: CheckedNccl stands in for NCCL and CUDA.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <tests/dist/checked_nccl.hpp>
#include <tests/dist/ranks.hpp>

#include <diffsiam/dist/collectives.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::ThreadRank;

TEST_CASE("Device memory goes by NCCL, beside the computation", "[dist]") {
  std::array<std::vector<int>, 2> to_all, gathered;
  std::array<std::string, 2> logs;
  dist::ThreadRanks nccl{2};
  on_ranks(2, [&](ThreadRank& rank) {
    auto const r = static_cast<std::size_t>(rank.rank());
    std::vector<int> const sent{10 * rank.rank(), 10 * rank.rank() + 1};
    to_all[r].resize(2);
    gathered[r].resize(2);
    CheckedNccl api{nccl, rank.rank(), {sent.data(), to_all[r].data(), gathered[r].data()}};
    dist::NcclRank<CheckedNccl> ranks{rank, api};
    auto first = ranks.start_all_to_all(sent.data(), to_all[r].data(), sizeof(int));
    auto second = ranks.start_all_gather(sent.data(), gathered[r].data(), sizeof(int));
    first.wait();
    if (!second.test()) throw Error("not done");
    logs[r] = api.log;
  });
  CHECK(to_all[0] == std::vector<int>{0, 10});
  CHECK(to_all[1] == std::vector<int>{1, 11});
  CHECK(gathered[0] == std::vector<int>{0, 10});
  CHECK(logs[0] == "<A<G>>");
}

TEST_CASE("Host memory goes through the processes", "[dist]") {
  std::array<std::vector<int>, 2> all;
  dist::ThreadRanks nccl{2};
  on_ranks(2, [&](ThreadRank& rank) {
    auto const r = static_cast<std::size_t>(rank.rank());
    CheckedNccl api{nccl, rank.rank(), {}};
    dist::NcclRank<CheckedNccl> ranks{rank, api};
    int const mine = 5 + rank.rank();
    all[r] = dist::all_gather<int>(ranks, {&mine, 1});
    ranks.barrier();
    if (!api.log.empty()) throw Error("NCCL was called");
  });
  CHECK(all[0] == std::vector<int>{5, 6});
  CHECK(all[1] == all[0]);
}

TEST_CASE("A transfer between host and device is refused", "[dist]") {
  dist::ThreadRanks nccl{1};
  auto const ends = outcomes(1, [&](ThreadRank& rank) {
    int from = 0, to = 0;
    CheckedNccl api{nccl, rank.rank(), {&from}};
    dist::NcclRank<CheckedNccl> ranks{rank, api};
    ranks.start_all_gather(&from, &to, sizeof(int)).wait();
  });
  CHECK_THAT(message_of(ends[0]), contains("both ends of a transfer on the device"));
  auto const other = outcomes(1, [&](ThreadRank& rank) {
    int data = 0;
    CheckedNccl api{nccl, rank.rank(), {&data}};
    dist::NcclRank<CheckedNccl> ranks{rank, api};
    ranks.broadcast(&data, sizeof(int), 0);
  });
  CHECK_THAT(message_of(other[0]), contains("memory of the host"));
}
