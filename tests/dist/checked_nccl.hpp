// CheckedNccl: NCCL and CUDA as dist::NcclRank sees them, without a GPU. It checks each call, and moves the
// bytes between threads as late as the streams allow: a result that is not waited for is not there, and
// memory that is given back too early sends what stands there later.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/dist/nccl.hpp>
#include <diffsiam/dist/thread_ranks.hpp>
#include <diffsiam/testing/stepped_device.hpp>

namespace diffsiam::test {

/// Throws Error for a call that real NCCL would hang in, or answer with wrong values.
class CheckedNccl {
 public:
  using Id = std::array<char, 128>;
  enum class Stream { compute, transfer };
  struct Event {
    Stream stream;
    int place;
  };

  /// Device memory is what `device` says. NCCL's ranks are not those of the processes.
  CheckedNccl(dist::ThreadRanks& ranks, int rank, std::set<void const*> device)
      : rank_(ranks, rank),
        holds_([device = std::move(device)](void const* memory) { return device.contains(memory); }),
        queue_([](Work const& work) { work(); }) {}
  /// Transfers are recorded with the other work of the device, which is borrowed.
  CheckedNccl(dist::ThreadRanks& ranks, int rank, testing::SteppedContext& device)
      : rank_(ranks, rank),
        holds_([&device](void const* memory) { return device.holds(memory); }),
        recording_([&device] { return device.recording(); }),
        queue_([&device](Work const& work) { device.queue(work); }) {}

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
  [[nodiscard]] bool is_on_device(void const* memory) const { return holds_(memory); }
  [[nodiscard]] Event record(Stream stream) const {
    return {stream, stream == Stream::transfer ? queued_ : 0};
  }
  void wait(Stream stream, Event const& event) {
    require(stream != event.stream, "a stream waits for the other one");
    if (stream == Stream::transfer)
      ready_ = true;
    else
      carry_out(event.place);
    log += stream == Stream::transfer ? "<" : ">";
  }
  [[nodiscard]] bool has_passed(Event const& event) {
    require(!recording_(), "no question about what is recorded");
    carry_out(event.place);
    return true;
  }
  void all_gather(void const* from, void* to, std::size_t bytes, Stream stream) {
    begin_transfer(stream);
    log += "G";
    queue_transfer([this, from, to, bytes] { rank_.start_all_gather(from, to, bytes).wait(); });
  }
  void begin_group() {
    require(!grouped_, "groups do not nest");
    grouped_ = true;
  }
  void send(void const* from, std::size_t bytes, int to, Stream stream) {
    begin_transfer(stream);
    require(grouped_, "a send within a group");
    require(sends_.try_emplace(to, from, bytes).second, "one send to each rank");
  }
  void receive(void* to, std::size_t bytes, int from, Stream stream) {
    begin_transfer(stream);
    require(grouped_, "a receive within a group");
    require(receives_.try_emplace(from, to, bytes).second, "one receive from each rank");
  }
  void end_group() {
    require(grouped_, "a group that has begun");
    auto const size = static_cast<std::size_t>(rank_.size());
    require(sends_.size() == size && receives_.size() == size, "a send and a receive for each rank");
    std::size_t const bytes = sends_.begin()->second.second;
    for (auto const& [to, send] : sends_) require(send.second == bytes, "sends of one size");
    for (auto const& [from, receive] : receives_) require(receive.second == bytes, "receives of one size");
    queue_transfer(
        [this, size, bytes, sends = std::exchange(sends_, {}), receives = std::exchange(receives_, {})] {
          std::vector<std::byte> sent(size * bytes), received(size * bytes);
          for (auto const& [to, send] : sends)
            std::memcpy(sent.data() + static_cast<std::size_t>(to) * bytes, send.first, bytes);
          rank_.start_all_to_all(sent.data(), received.data(), bytes).wait();
          for (auto const& [from, receive] : receives)
            std::memcpy(receive.first, received.data() + static_cast<std::size_t>(from) * bytes, bytes);
        });
    grouped_ = false;
    log += "A";
  }

  std::string log;  ///< < and >: the transfer stream waits for the computation, and the other way round

 private:
  using Work = std::function<void()>;

  static void require(bool good, char const* what) {
    if (!good) throw Error(std::string("CheckedNccl: expected ") + what);
  }
  void begin_transfer(Stream stream) const {
    require(connected_, "a connection");
    require(stream == Stream::transfer, "the stream of transfers");
    require(ready_, "that what was computed before is waited for");
  }
  void queue_transfer(Work work) {
    ++queued_;
    waiting_.push_back(std::move(work));
  }
  /// Does what was queued on the stream of transfers, up to this place.
  void carry_out(int place) {
    for (; done_ < place; ++done_) {
      queue_(waiting_.front());
      waiting_.pop_front();
    }
  }

  dist::ThreadRank rank_;
  std::function<bool(void const*)> holds_;
  std::function<bool()> recording_ = [] { return false; };
  std::function<void(Work const&)> queue_;
  bool connected_ = false, grouped_ = false, ready_ = false;
  int queued_ = 0, done_ = 0;
  std::deque<Work> waiting_;
  std::map<int, std::pair<void const*, std::size_t>> sends_;
  std::map<int, std::pair<void*, std::size_t>> receives_;
};

}  // namespace diffsiam::test
