// NcclRank without a GPU: NCCL and CUDA are replaced by what checks each call, and moves the bytes between
// threads.
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <tests/dist/ranks.hpp>

#include <diffsiam/dist/collectives.hpp>
#include <diffsiam/dist/nccl.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::ThreadRank;

namespace {

enum class Stream { compute, transfer };

/// Throws Error for a call that real NCCL would hang in, or answer with wrong values.
class CheckedNccl {
 public:
  using Id = std::array<char, 128>;
  using Stream = ::Stream;
  struct Event {
    Stream stream;
    int place;
  };

  /// Device memory is what `device` says. NCCL's ranks are not those of the processes.
  CheckedNccl(dist::ThreadRanks& ranks, int rank, std::set<void const*> device)
      : rank_(ranks, rank), device_(std::move(device)) {}

  [[nodiscard]] Id make_id() {
    require(rank_.rank() == 0, "only rank 0 makes an id");
    return {"the id of rank 0"};
  }
  void connect(int size, Id const& id, int rank) {
    require(std::string(id.data()) == "the id of rank 0", "all have the id of rank 0");
    require(size == rank_.size() && rank == rank_.rank(), "size and rank are those of the processes");
    connected_ = true;
  }
  [[nodiscard]] static Stream compute_stream() { return Stream::compute; }
  [[nodiscard]] static Stream transfer_stream() { return Stream::transfer; }
  [[nodiscard]] bool is_on_device(void const* memory) const { return device_.contains(memory); }
  [[nodiscard]] Event record(Stream stream) { return {stream, queued_[stream]}; }
  void wait(Stream stream, Event const& event) {
    require(stream != event.stream, "a stream waits for the other one");
    if (stream == Stream::transfer) ready_ = true;
    log += stream == Stream::transfer ? "<" : ">";
  }
  [[nodiscard]] static bool has_passed(Event const&) { return true; }
  void all_gather(void const* from, void* to, std::size_t bytes, Stream stream) {
    require_transfer(stream);
    log += "G";
    rank_.start_all_gather(from, to, bytes).wait();
  }
  void begin_group() {
    require(!grouped_, "groups do not nest");
    grouped_ = true;
  }
  void send(void const* from, std::size_t bytes, int to, Stream stream) {
    require_transfer(stream);
    require(grouped_, "a send within a group");
    require(sends_.try_emplace(to, from, bytes).second, "one send to each rank");
  }
  void receive(void* to, std::size_t bytes, int from, Stream stream) {
    require_transfer(stream);
    require(grouped_, "a receive within a group");
    require(receives_.try_emplace(from, to, bytes).second, "one receive from each rank");
  }
  void end_group() {
    require(grouped_, "a group that has begun");
    auto const size = static_cast<std::size_t>(rank_.size());
    require(sends_.size() == size && receives_.size() == size, "a send and a receive for each rank");
    std::size_t const bytes = sends_.begin()->second.second;
    std::vector<std::byte> sent(size * bytes), received(size * bytes);
    for (auto const& [to, send] : sends_) {
      require(send.second == bytes, "sends of one size");
      std::memcpy(sent.data() + static_cast<std::size_t>(to) * bytes, send.first, bytes);
    }
    rank_.start_all_to_all(sent.data(), received.data(), bytes).wait();
    for (auto const& [from, receive] : receives_) {
      require(receive.second == bytes, "receives of one size");
      std::memcpy(receive.first, received.data() + static_cast<std::size_t>(from) * bytes, bytes);
    }
    sends_.clear();
    receives_.clear();
    grouped_ = false;
    log += "A";
  }

  std::string log;  ///< < and >: the transfer stream waits for the computation, and the other way round

 private:
  static void require(bool good, char const* what) {
    if (!good) throw Error(std::string("CheckedNccl: expected ") + what);
  }
  void require_transfer(Stream stream) {
    require(connected_, "a connection");
    require(stream == Stream::transfer, "the stream of transfers");
    require(ready_, "that what was computed before is waited for");
    ++queued_[stream];
  }

  ThreadRank rank_;
  std::set<void const*> device_;
  bool connected_ = false, grouped_ = false, ready_ = false;
  std::map<Stream, int> queued_;
  std::map<int, std::pair<void const*, std::size_t>> sends_;
  std::map<int, std::pair<void*, std::size_t>> receives_;
};

}  // namespace

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
