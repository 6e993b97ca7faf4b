// The ranks of a program: the processes that mpirun has started, or this one alone. Rank 0 speaks and writes.
#pragma once

#include <chrono>
#include <exception>
#include <iostream>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>

#include <diffsiam/dist/communicator.hpp>
#include <diffsiam/dist/single_process.hpp>
#ifdef DIFFSIAM_WITH_MPI
#include <diffsiam/dist/mpi.hpp>
#endif

#include <experiments/support/options.hpp>

namespace experiments {

namespace ds = diffsiam;

/// Seconds for which a rank waits for the others.
inline constexpr int default_rank_timeout = 60;

inline void add_rank_timeout(CLI::App& app, int& seconds) {
  add_whole_number(app, "--rank-timeout", seconds, 1, 86400,
                   "under mpirun: seconds after which a process that does not answer ends the run");
}

/// body(ranks). An exception of one rank ends the others, too.
template <class Body>
void with_ranks([[maybe_unused]] int seconds, Body const& body) {
  ds::dist::SingleProcess alone;
  ds::dist::CommunicatorRef ranks{alone};
#ifdef DIFFSIAM_WITH_MPI
  std::optional<ds::dist::Mpi> mpi;
  if (ds::dist::Mpi::started()) {
    mpi.emplace(ds::dist::MpiConfig{.time_out = std::chrono::seconds{seconds}});
    ranks = *mpi;
  }
#endif
  if (ranks.rank() != 0) std::cout.setstate(std::ios::badbit);  // one of them speaks
  // Of an error that all have, rank 0 tells, and mpirun then ends the others. They tell if rank 0 is gone.
  auto const let_first_tell = [&] {
    if (ranks.rank() != 0) std::this_thread::sleep_for(std::chrono::seconds{3});
  };
  try {
    body(ranks);
  } catch (ds::dist::PeerError const&) {
    let_first_tell();
    throw;
  } catch (ds::Interrupted const&) {
    let_first_tell();
    throw;
  } catch (std::exception const& error) {
    ranks.announce(error.what());
    let_first_tell();
    throw;
  }
}

}  // namespace experiments
