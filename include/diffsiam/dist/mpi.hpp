// Mpi: ranks that are processes, started by mpirun, connected by MPI. Memory is the host's. While it waits it
// listens: a rank that fails, is gone or does not answer ends the wait on all others with an error that names
// it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <mpi.h>

#include <diffsiam/core/text.hpp>
#include <diffsiam/dist/communicator.hpp>

namespace diffsiam::dist {

/// How patient the ranks are.
struct MpiConfig {
  /// For how long a rank waits for the others. A rank that then does not say within two seconds that it
  /// waits, too, counts as hanging. Longer than a step, a save or anything else that ranks do in turn.
  std::chrono::milliseconds time_out = std::chrono::seconds{60};
};

/// All processes that mpirun has started. One object a process, made by its main thread:
///
///     dist::Mpi ranks;
///     dist::DataParallel<B> division{ranks, parameters(model), {.pieces = 4}};
///
/// It begins MPI, unless the program has, and ends it with its scope. After a failure it leaves MPI open: the
/// process ends without it, and mpirun then ends the others.
class Mpi {
 public:
  Mpi() : Mpi(MpiConfig{}) {}
  /// Throws Error where MPI cannot serve.
  explicit Mpi(MpiConfig config) : config_(config) {
    int begun = 0;
    check(MPI_Initialized(&begun), "MPI_Initialized");
    if (begun == 0) {
      int provided = 0;
      check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
      owner_ = true;
    }
    int provided = 0;
    check(MPI_Query_thread(&provided), "MPI_Query_thread");
    if (provided < MPI_THREAD_SERIALIZED)
      fail<Error>("Mpi", "an MPI that serves one thread at a time (MPI_THREAD_SERIALIZED)",
                  {"level ", provided});
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &transfers_), "MPI_Comm_dup");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &alarms_), "MPI_Comm_dup");
    check(MPI_Comm_rank(transfers_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(transfers_, &size_), "MPI_Comm_size");
  }
  Mpi(Mpi const&) = delete;
  Mpi& operator=(Mpi const&) = delete;
  ~Mpi() {
    if (failed_) return;
    MPI_Comm_free(&alarms_);
    MPI_Comm_free(&transfers_);
    if (owner_) MPI_Finalize();
  }

  /// Whether mpirun, or another starter of MPI programs, has started this process.
  [[nodiscard]] static bool started() {
    for (char const* const name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"})
      if (std::getenv(name) != nullptr) return true;
    return false;
  }

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }

  Request start_all_to_all(void const* from, void* to, std::size_t bytes) {
    auto transfer = std::make_unique<Open>(*this);
    int const count = counted(bytes);
    check(MPI_Ialltoall(from, count, MPI_BYTE, to, count, MPI_BYTE, transfers_, &transfer->request),
          "MPI_Ialltoall");
    return Request{std::move(transfer)};
  }
  Request start_all_gather(void const* from, void* to, std::size_t bytes) {
    auto transfer = std::make_unique<Open>(*this);
    int const count = counted(bytes);
    check(MPI_Iallgather(from, count, MPI_BYTE, to, count, MPI_BYTE, transfers_, &transfer->request),
          "MPI_Iallgather");
    return Request{std::move(transfer)};
  }
  void broadcast(void* data, std::size_t bytes, int root) {
    MPI_Request request{};
    check(MPI_Ibcast(data, counted(bytes), MPI_BYTE, root, transfers_, &request), "MPI_Ibcast");
    finish(request, true);
  }
  void barrier() {
    MPI_Request request{};
    check(MPI_Ibarrier(transfers_, &request), "MPI_Ibarrier");
    finish(request, false);
  }
  void announce(std::string_view sentence) {
    if (std::exchange(failed_, true)) return;
    tell_all(failure, text({rank_, " ", "rank ", rank_, ": ", sentence}));
  }

 private:
  using Clock = std::chrono::steady_clock;
  enum Tag { failure = 1, who_is_here = 2, here = 3 };
  static constexpr std::chrono::milliseconds grace{2000}, delivery{500}, patience{20};

  /// A transfer that MPI has begun.
  struct Open final : Transfer {
    explicit Open(Mpi& ranks) : mpi(&ranks) {}
    bool test() override { return mpi->done(request); }
    void wait() override { mpi->finish(request, true); }
    Mpi* mpi;
    MPI_Request request{};
  };

  void check(int code, char const* function) {
    if (code == MPI_SUCCESS) return;
    char words[MPI_MAX_ERROR_STRING];
    int length = 0;
    MPI_Error_string(code, words, &length);
    failed_ = true;
    fail<Error>(function, "success", std::string_view{words, static_cast<std::size_t>(length)});
  }
  static int counted(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      fail<Error>("Mpi", "less than 2 GiB for each rank in one transfer", {bytes, " bytes"});
    return static_cast<int>(bytes);
  }
  bool done(MPI_Request& request) {
    int flag = 0;
    check(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), "MPI_Test");
    return flag != 0;
  }
  void finish(MPI_Request& request, bool limited) {
    auto const begun = Clock::now();
    auto until = begun + config_.time_out;
    while (!done(request)) {
      listen();
      auto const now = Clock::now();
      if (limited && now > until) {
        call_the_roll();
        until = Clock::now() + config_.time_out;
      }
      // Who waits long leaves the core to others.
      if (now - begun > patience)
        std::this_thread::sleep_for(patience / 20);
      else
        std::this_thread::yield();
    }
  }
  /// A message of this kind that has come, with its sender; an empty sender (-1) if there is none.
  std::pair<int, std::string> take(Tag tag) {
    int flag = 0;
    MPI_Status status{};
    check(MPI_Iprobe(MPI_ANY_SOURCE, tag, alarms_, &flag, &status), "MPI_Iprobe");
    if (flag == 0) return {-1, {}};
    int length = 0;
    check(MPI_Get_count(&status, MPI_BYTE, &length), "MPI_Get_count");
    std::string words(static_cast<std::size_t>(length), ' ');
    check(MPI_Recv(words.data(), length, MPI_BYTE, status.MPI_SOURCE, tag, alarms_, MPI_STATUS_IGNORE),
          "MPI_Recv");
    return {status.MPI_SOURCE, std::move(words)};
  }
  /// Throws PeerError if a rank has announced that it fails, and answers those who ask who is here.
  void listen() {
    if (auto const [from, words] = take(failure); from >= 0) {
      failed_ = true;
      auto const space = words.find(' ');
      throw PeerError(std::atoi(words.c_str()), words.substr(space + 1));
    }
    if (auto const [from, words] = take(who_is_here); from >= 0) send(from, here, "");
  }
  void send(int to, Tag tag, std::string_view words) {
    auto& [kept, request] = sent_.emplace_back(std::string{words}, MPI_Request{});
    check(MPI_Isend(kept.data(), static_cast<int>(kept.size()), MPI_BYTE, to, tag, alarms_, &request),
          "MPI_Isend");
  }
  /// Sends to all others, and gives the messages some time to leave.
  void tell_all(Tag tag, std::string_view words) {
    for (int other = 0; other < size_; ++other)
      if (other != rank_) send(other, tag, words);
    auto const until = Clock::now() + delivery;
    for (auto& [kept, request] : sent_)
      while (!done(request) && Clock::now() < until) std::this_thread::yield();
  }
  /// Finds the rank that everybody waits for: ranks that wait answer, and others do not.
  void call_the_roll() {
    std::vector<bool> answered(static_cast<std::size_t>(size_));
    answered[static_cast<std::size_t>(rank_)] = true;
    tell_all(who_is_here, "");
    auto const until = Clock::now() + grace;
    while (Clock::now() < until) {
      listen();
      if (auto const [from, words] = take(here); from >= 0) answered[static_cast<std::size_t>(from)] = true;
      std::this_thread::yield();
    }
    int missing = 0;
    while (missing < size_ && answered[static_cast<std::size_t>(missing)]) ++missing;
    if (missing == size_) return;  // all wait: the transfer itself takes long
    auto const sentence = text({"rank ", missing, ": no answer within ",
                                static_cast<double>((config_.time_out + grace).count()) / 1000, " s"});
    failed_ = true;
    tell_all(failure, text({missing, " ", sentence}));
    throw PeerError(missing, sentence);
  }

  MpiConfig config_;
  bool owner_ = false, failed_ = false;
  MPI_Comm transfers_{}, alarms_{};
  int rank_ = 0, size_ = 1;
  std::deque<std::pair<std::string, MPI_Request>> sent_;  ///< alarms, kept until the end
};

static_assert(Communicator<Mpi>);

}  // namespace diffsiam::dist
