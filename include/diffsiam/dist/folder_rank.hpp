// FolderRank: ranks that are processes which see one folder, such as one of a network disk. For GPUs where
// there is no MPI: NCCL's id goes through the folder, and so do the few values of the host in each step.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <diffsiam/core/text.hpp>
#include <diffsiam/dist/communicator.hpp>

namespace diffsiam::dist {

/// Where the ranks meet, and how patient they are.
struct FolderRankConfig {
  std::filesystem::path folder;  ///< that all ranks see, and where a new file is soon seen by the others
  /// The name of this start of the run, which becomes a folder within `folder`: the same on all ranks, and
  /// another one at every start, such as the number that a queue gives to a job.
  std::string start;
  int rank = 0;  ///< in [0, size)
  int size = 1;  ///< at least 1
  /// For how long a rank waits for the others: longer than a step, a save or anything else that ranks do in
  /// turn.
  std::chrono::milliseconds time_out = std::chrono::seconds{60};
};

/// One of the ranks; used by one thread at a time. What a rank gives to a call is a file, which appears
/// whole; the others look for it. This takes milliseconds, or longer on some network disks: with GPUs only a
/// few values go this way.
///
///     dist::FolderRank processes{{.folder = "/shared/runs/mine", .start = job, .rank = rank, .size = 8}};
///     backend::cuda::Nccl nccl{context.stream()};
///     dist::NcclRank ranks{processes, nccl};
///
/// No mpirun ends the others where a rank is killed: they notice by the time-out, and in barrier() not at
/// all.
///
/// The files of the last calls remain, and keep the name of this start from being used again. The folder of a
/// start may be removed when all of its ranks have ended.
class FolderRank {
 public:
  using Config = FolderRankConfig;

  /// Throws ConfigError for a rank or name that cannot be, and for the name of an earlier start; FileError
  /// where the folder cannot be used.
  explicit FolderRank(Config config) : config_(std::move(config)), folder_(config_.folder / config_.start) {
    if (config_.size < 1 || config_.rank < 0 || config_.rank >= config_.size)
      fail<ConfigError>("FolderRank", "a rank in [0, size)", {config_.rank, " of ", config_.size});
    if (config_.start.empty() || config_.start.find('/') != std::string::npos || config_.start[0] == '.')
      fail<ConfigError>("FolderRank", "a name of the start that can be a folder's",
                        {"'", config_.start, "'"});
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error) fail<FileError>("FolderRank", {"a folder ", folder_.string()}, error.message());
    if (!claim(text({"rank-", config_.rank})))
      fail<ConfigError>("FolderRank", "a name that no earlier start has used",
                        {"'", config_.start, "', whose rank ", config_.rank, " was here before"},
                        "give every start a name of its own, the same on all ranks");
  }
  FolderRank(FolderRank const&) = delete;
  FolderRank& operator=(FolderRank const&) = delete;

  [[nodiscard]] int rank() const { return config_.rank; }
  [[nodiscard]] int size() const { return config_.size; }
  Request start_all_to_all(void const* from, void* to, std::size_t bytes) {
    std::size_t const mine = static_cast<std::size_t>(rank()) * bytes;
    return start("all_to_all", from, static_cast<std::size_t>(size()) * bytes, {bytes, mine, to});
  }
  Request start_all_gather(void const* from, void* to, std::size_t bytes) {
    return start("all_gather", from, bytes, {bytes, 0, to});
  }
  void broadcast(void* data, std::size_t bytes, int root) {
    std::vector<std::byte> all(static_cast<std::size_t>(size()) * bytes);
    start_all_gather(data, all.data(), bytes).wait();
    if (bytes > 0) std::memcpy(data, all.data() + static_cast<std::size_t>(root) * bytes, bytes);
  }
  void barrier() {
    auto call = begin("barrier", nullptr, 0, {0, 0, nullptr});
    call.limited = false;
    (void)take(call, true);
  }
  void announce(std::string_view sentence) { tell(rank(), text({"rank ", rank(), ": ", sentence})); }

 private:
  using Clock = std::chrono::steady_clock;

  /// What becomes of the bytes of each rank: `bytes` of them, from `offset` on, are a block of `to`.
  struct Blocks {
    std::size_t bytes, offset;
    void* to;
  };
  /// A call that all ranks take part in.
  struct Call {
    std::uint64_t number;
    std::string kind;
    Blocks blocks;
    int next = 0;  ///< the first rank whose file has not been read
    bool limited = true;
    std::uint64_t done_by_all = ~std::uint64_t{0};
  };
  struct Open final : Transfer {
    Open(FolderRank& owner, Call begun) : ranks(&owner), call(std::move(begun)) {}
    bool test() override { return ranks->take(call, false); }
    void wait() override { (void)ranks->take(call, true); }
    FolderRank* ranks;
    Call call;
  };

  Request start(char const* kind, void const* from, std::size_t size, Blocks blocks) {
    return Request{std::make_unique<Open>(*this, begin(kind, from, size, blocks))};
  }
  /// Writes what this rank gives.
  Call begin(char const* kind, void const* from, std::size_t size, Blocks blocks) {
    Call call{.number = calls_++, .kind = text({kind, " of ", blocks.bytes, " bytes"}), .blocks = blocks};
    open_.insert(call.number);
    std::string words = text({call.kind, "\n", *open_.begin(), "\n"});
    words.append(static_cast<char const*>(from), size);
    if (std::error_code const error = put(path_of(call.number, rank()), words))
      fail<FileError>("FolderRank", {"to write ", words.size(), " bytes to ", folder_.string()},
                      error.message());
    return call;
  }
  /// Reads what the ranks give. Without `waits` it may return false instead.
  bool take(Call& call, bool waits) {
    auto const until = Clock::now() + config_.time_out;
    auto pause = std::chrono::microseconds{50};
    while (call.next < size()) {
      if (read(call)) continue;
      listen();
      if (!waits) return false;
      if (call.limited && Clock::now() > until) refuse(call.next);
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, std::chrono::microseconds{5000});
    }
    open_.erase(call.number);
    // What all have read is needed no more.
    for (; removed_ < call.done_by_all; ++removed_) {
      std::error_code ignored;
      std::filesystem::remove(path_of(removed_, rank()), ignored);
    }
    return true;
  }
  /// Reads what the next rank gives. Returns false if it is not there.
  bool read(Call& call) const {
    std::ifstream file{path_of(call.number, call.next), std::ios::binary};
    if (!file) return false;
    std::string kind;
    std::uint64_t done = 0;
    std::getline(file, kind);
    file >> done;
    file.ignore();
    if (kind != call.kind)
      fail<Error>("FolderRank", {call.kind, " as call ", call.number}, {kind, " on rank ", call.next},
                  "all ranks call the same functions in the same order");
    auto const [bytes, offset, to] = call.blocks;
    if (bytes > 0) {
      file.ignore(static_cast<std::streamsize>(offset));
      file.read(static_cast<char*>(to) + static_cast<std::size_t>(call.next) * bytes,
                static_cast<std::streamsize>(bytes));
    }
    if (!file)
      fail<FileError>("FolderRank", {bytes, " bytes of rank ", call.next, " in ", folder_.string()}, "less");
    call.done_by_all = std::min(call.done_by_all, done);
    ++call.next;
    return true;
  }
  /// Throws PeerError if a rank has failed.
  void listen() const {
    std::ifstream file{folder_ / "failed"};
    int failed = 0;
    std::string sentence;
    if (file >> failed && std::getline(file.ignore(), sentence, '\0')) throw PeerError(failed, sentence);
  }
  [[noreturn]] void refuse(int missing) const {
    auto const sentence = text({"rank ", missing, ": no answer within ", config_.time_out.count(), " ms"});
    tell(missing, sentence);
    throw PeerError(missing, sentence);
  }
  /// Tells all ranks which one has failed. Where even this fails, they notice by their time-out.
  void tell(int failed, std::string const& sentence) const {
    [[maybe_unused]] std::error_code const ignored = put(folder_ / "failed", text({failed, " ", sentence}));
  }
  /// Makes a file that appears whole.
  [[nodiscard]] std::error_code put(std::filesystem::path const& path, std::string const& words) const {
    auto const beside = folder_ / text({"new-", rank()});
    std::ofstream file{beside, std::ios::binary | std::ios::trunc};
    file.write(words.data(), static_cast<std::streamsize>(words.size()));
    file.close();
    std::error_code error;
    if (file)
      std::filesystem::rename(beside, path, error);
    else
      error = std::make_error_code(std::errc::io_error);
    return error;
  }
  /// Makes an empty file. Returns false if there is one.
  [[nodiscard]] bool claim(std::string const& name) const {
    int const file = ::open((folder_ / name).c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (file >= 0) {
      ::close(file);
    } else if (errno != EEXIST) {
      fail<FileError>("FolderRank", {"to write to ", folder_.string()},
                      std::generic_category().message(errno));
    }
    return file >= 0;
  }
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t call, int rank) const {
    return folder_ / text({"call-", call, "-rank-", rank, "-of-", size()});
  }

  Config config_;
  std::filesystem::path folder_;
  std::uint64_t calls_ = 0, removed_ = 0;
  std::set<std::uint64_t> open_;  ///< calls that have begun here and are not done
};

static_assert(Communicator<FolderRank>);

}  // namespace diffsiam::dist
