#include <array>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <tests/dist/checked_nccl.hpp>
#include <tests/dist/ranks.hpp>
#include <tests/io/scratch.hpp>

#include <diffsiam/dist/collectives.hpp>
#include <diffsiam/dist/folder_rank.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::FolderRank;
using dist::ThreadRank;

namespace {

/// f(rank) on `size` ranks that are threads here, and know of each other only by the folder.
template <class F>
std::vector<std::exception_ptr> in_folder(Scratch const& scratch, int size, F const& f,
                                          std::chrono::milliseconds time_out = std::chrono::seconds{60}) {
  return outcomes(size, [&](ThreadRank& thread) {
    FolderRank rank{{.folder = scratch.folder(),
                     .start = "job-7",
                     .rank = thread.rank(),
                     .size = size,
                     .time_out = time_out}};
    f(rank);
  });
}

}  // namespace

TEST_CASE("Blocks go from every rank to every rank by files", "[dist]") {
  Scratch const scratch;
  std::array<std::vector<int>, 3> to_all, gathered;
  std::array<int, 3> values{1, 2, 3};
  auto const ends = in_folder(scratch, 3, [&](FolderRank& rank) {
    int const r = rank.rank();
    auto& received = to_all[static_cast<std::size_t>(r)];
    auto& all = gathered[static_cast<std::size_t>(r)];
    received.resize(3);
    all.resize(3);
    std::vector<int> sent{10 * r, 10 * r + 1, 10 * r + 2};
    // Both are under way at the same time, and what was given may be changed.
    auto first = rank.start_all_to_all(sent.data(), received.data(), sizeof(int));
    auto second = rank.start_all_gather(sent.data(), all.data(), sizeof(int));
    sent.assign(3, -1);
    second.wait();
    first.wait();
    if (!first.test()) throw Error("not done");
    rank.broadcast(&values[static_cast<std::size_t>(r)], sizeof(int), 1);
    rank.barrier();
  });
  for (auto const& end : ends) CHECK(message_of(end).empty());
  for (int r = 0; r < 3; ++r) {
    CHECK(to_all[static_cast<std::size_t>(r)] == std::vector<int>{r, 10 + r, 20 + r});
    CHECK(gathered[static_cast<std::size_t>(r)] == std::vector<int>{0, 10, 20});
  }
  CHECK(values == std::array<int, 3>{2, 2, 2});
}

TEST_CASE("Files of calls that are over are removed", "[dist]") {
  Scratch const scratch;
  auto const ends = in_folder(scratch, 2, [&](FolderRank& rank) {
    for (int i = 0; i < 20; ++i) rank.barrier();
  });
  for (auto const& end : ends) CHECK(message_of(end).empty());
  std::size_t calls = 0;
  for (auto const& entry : std::filesystem::directory_iterator(scratch / "job-7"))
    calls += entry.path().filename().string().starts_with("call-") ? 1 : 0;
  CHECK(calls > 0);
  CHECK(calls <= 4);
}

TEST_CASE("A rank whose file does not come is named by those that wait", "[dist]") {
  Scratch const scratch;
  auto const ends = in_folder(
      scratch, 3,
      [](FolderRank& rank) {
        int const mine = rank.rank();
        if (mine != 1) (void)dist::all_gather<int>(rank, {&mine, 1});
      },
      std::chrono::milliseconds{100});
  CHECK_THAT(message_of(ends[0]), contains("rank 1: no answer within 100 ms"));
  CHECK(ends[1] == nullptr);
  CHECK_THAT(message_of(ends[2]), contains("rank 1: no answer within 100 ms"));
}

TEST_CASE("A rank that fails ends what the others look for", "[dist]") {
  Scratch const scratch;
  auto const ends = in_folder(scratch, 2, [](FolderRank& rank) {
    if (rank.rank() == 1) return rank.announce("the disk is full");
    rank.barrier();
  });
  CHECK_THAT(message_of(ends[0]), contains("rank 1: the disk is full"));
}

TEST_CASE("Ranks that give different things are told", "[dist]") {
  Scratch const scratch;
  auto const ends = in_folder(scratch, 2, [](FolderRank& rank) {
    std::vector<int> const mine(static_cast<std::size_t>(rank.rank()) + 1);
    (void)dist::all_gather<int>(rank, mine);
  });
  CHECK_THAT(message_of(ends[0]),
             contains("all_gather of 4 bytes as call 0, got all_gather of 8 bytes on rank 1"));
}

TEST_CASE("What an earlier start has left is refused", "[dist]") {
  Scratch const scratch;
  FolderRank::Config const config{.folder = scratch.folder(), .start = "job-7"};
  {
    FolderRank const earlier{config};
  }
  CHECK_THROWS_WITH(FolderRank{config}, contains("a name that no earlier start has used, got 'job-7'"));
  FolderRank::Config next = config;
  next.start = "job-8";
  FolderRank later{next};
  CHECK_NOTHROW(later.barrier());
}

TEST_CASE("What is no rank, no name and no folder is refused", "[dist]") {
  Scratch const scratch;
  CHECK_THROWS_WITH((FolderRank{{.folder = scratch.folder(), .start = "a", .rank = 2, .size = 2}}),
                    contains("a rank in [0, size), got 2 of 2"));
  for (std::string const name : {"", "a/b", ".."})
    CHECK_THROWS_WITH((FolderRank{{.folder = scratch.folder(), .start = name}}), contains("a folder's"));
  std::ofstream{scratch / "file"} << "no folder";
  CHECK_THROWS_AS((FolderRank{{.folder = scratch / "file", .start = "a"}}), FileError);
}

TEST_CASE("NCCL is connected through a folder", "[dist]") {
  Scratch const scratch;
  dist::ThreadRanks nccl{2};
  std::array<std::vector<int>, 2> gathered;
  auto const ends = in_folder(scratch, 2, [&](FolderRank& process) {
    auto& all = gathered[static_cast<std::size_t>(process.rank())];
    all.resize(2);
    int const mine = 5 + process.rank();
    CheckedNccl api{nccl, process.rank(), {&mine, all.data()}};
    dist::NcclRank<CheckedNccl> ranks{process, api};
    ranks.start_all_gather(&mine, all.data(), sizeof(int)).wait();
  });
  for (auto const& end : ends) CHECK(message_of(end).empty());
  CHECK(gathered[0] == std::vector<int>{5, 6});
  CHECK(gathered[1] == gathered[0]);
}
