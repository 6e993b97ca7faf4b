// ThreadRanks: ranks that are threads of one process. For tests, and to try a program that is written for
// many ranks without starting it many times.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/dist/communicator.hpp>

namespace diffsiam::dist {

class ThreadRank;

/// ThreadRanks ranks{2};
/// std::jthread other{[&] { ThreadRank rank{ranks, 1}; work(rank); }};
/// ThreadRank rank{ranks, 0}; work(rank);
class ThreadRanks {
 public:
  /// Throws ConfigError for less than one rank.
  explicit ThreadRanks(int size, std::chrono::milliseconds time_out = std::chrono::seconds{60})
      : size_(size), time_out_(time_out) {
    if (size < 1) fail<ConfigError>("ThreadRanks", "1 rank or more", size);
  }
  /// The number of ranks.
  [[nodiscard]] int size() const { return size_; }

 private:
  friend class ThreadRank;

  /// A call that all ranks take part in. The last one to leave removes it.
  struct Meeting {
    std::string kind;
    std::size_t bytes = 0;
    std::vector<std::vector<std::byte>> given;
    std::vector<bool> here;
    int arrived = 0, left = 0;
  };
  void enter(std::uint64_t number, int rank, std::string_view kind, void const* data, std::size_t size,
             std::size_t bytes) {
    std::lock_guard const lock{mutex_};
    Meeting& meeting = meetings_[number];
    if (meeting.arrived == 0) {
      meeting.kind = kind;
      meeting.bytes = bytes;
      meeting.given.resize(static_cast<std::size_t>(size_));
      meeting.here.resize(static_cast<std::size_t>(size_));
    } else if (meeting.kind != kind || meeting.bytes != bytes) {
      fail<Error>("ThreadRanks", {meeting.kind, " of ", meeting.bytes, " bytes as call ", number},
                  {kind, " of ", bytes, " on rank ", rank},
                  "all ranks call the same functions in the same order");
    }
    auto const* const first = static_cast<std::byte const*>(data);
    meeting.given[static_cast<std::size_t>(rank)].assign(first, first + size);
    meeting.here[static_cast<std::size_t>(rank)] = true;
    if (++meeting.arrived == size_) changed_.notify_all();
  }
  /// Calls take(given) once all are here. Without `waits` it may return false instead.
  template <class Take>
  bool leave(std::uint64_t number, bool waits, bool limited, Take const& take) {
    std::unique_lock lock{mutex_};
    Meeting& meeting = meetings_.at(number);
    auto const over = [&] { return meeting.arrived == size_ || failed_; };
    if (!waits && !over()) return false;
    if (!limited)
      changed_.wait(lock, over);
    else if (!changed_.wait_for(lock, time_out_, over))
      refuse_missing(meeting);
    if (meeting.arrived < size_ && failed_) throw PeerError(failed_->first, failed_->second);
    take(meeting.given);
    if (++meeting.left == size_) meetings_.erase(number);
    return true;
  }
  [[noreturn]] void refuse_missing(Meeting const& meeting) {
    int missing = 0;
    while (meeting.here[static_cast<std::size_t>(missing)]) ++missing;
    failed_ = {missing, text({"rank ", missing, ": no answer within ", time_out_.count(), " ms"})};
    changed_.notify_all();
    throw PeerError(failed_->first, failed_->second);
  }
  void announce(int rank, std::string_view sentence) {
    std::lock_guard const lock{mutex_};
    if (!failed_) failed_ = {rank, text({"rank ", rank, ": ", sentence})};
    changed_.notify_all();
  }

  int size_;
  std::chrono::milliseconds time_out_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Meeting> meetings_;
  std::optional<std::pair<int, std::string>> failed_;
};

/// One of the ranks; used by one thread at a time.
class ThreadRank {
 public:
  /// Rank number `rank` of `ranks`, which must outlive it. Throws RangeError for a number outside [0,
  /// size()).
  ThreadRank(ThreadRanks& ranks, int rank) : ranks_(&ranks), rank_(rank) {
    if (rank < 0 || rank >= ranks.size())
      fail<RangeError>("ThreadRank", {"a rank in [0, ", ranks.size(), ")"}, rank);
  }

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return ranks_->size(); }
  Request start_all_to_all(void const* from, void* to, std::size_t bytes) {
    std::size_t const mine = static_cast<std::size_t>(rank_) * bytes;
    return start("all_to_all", from, bytes * static_cast<std::size_t>(size()), bytes, mine, to);
  }
  Request start_all_gather(void const* from, void* to, std::size_t bytes) {
    return start("all_gather", from, bytes, bytes, 0, to);
  }
  void broadcast(void* data, std::size_t bytes, int root) {
    std::uint64_t const number = calls_++;
    ranks_->enter(number, rank_, "broadcast", data, bytes, bytes);
    ranks_->leave(number, true, true, [&](auto const& given) {
      if (bytes > 0) std::memcpy(data, given[static_cast<std::size_t>(root)].data(), bytes);
    });
  }
  void barrier() {
    std::uint64_t const number = calls_++;
    ranks_->enter(number, rank_, "barrier", nullptr, 0, 0);
    ranks_->leave(number, true, false, [](auto const&) {});
  }
  void announce(std::string_view sentence) { ranks_->announce(rank_, sentence); }

 private:
  /// Block `rank` of `to` becomes `bytes` bytes of that rank's data, from `offset` on.
  struct Copies final : Transfer {
    ThreadRanks* ranks;
    std::uint64_t number;
    std::size_t bytes, offset;
    std::byte* to;

    bool leave(bool waits) const {
      return ranks->leave(number, waits, true, [&](auto const& given) {
        for (std::size_t i = 0; i < given.size() && bytes > 0; ++i)
          std::memcpy(to + i * bytes, given[i].data() + offset, bytes);
      });
    }
    bool test() override { return leave(false); }
    void wait() override { leave(true); }
  };
  Request start(std::string_view kind, void const* from, std::size_t size, std::size_t bytes,
                std::size_t offset, void* to) {
    auto copies = std::make_unique<Copies>();
    copies->ranks = ranks_;
    copies->number = calls_++;
    copies->bytes = bytes;
    copies->offset = offset;
    copies->to = static_cast<std::byte*>(to);
    ranks_->enter(copies->number, rank_, kind, from, size, bytes);
    return Request{std::move(copies)};
  }

  ThreadRanks* ranks_;
  int rank_;
  std::uint64_t calls_ = 0;
};

static_assert(Communicator<ThreadRank>);

}  // namespace diffsiam::dist
