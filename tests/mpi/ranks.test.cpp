// What mpirun starts for the tests of this folder (failures.py, same_weights.py):
//
//   mpirun -n N mpi_ranks transfers
//   mpirun -n N mpi_ranks train FOLDER [name=value ...]
//
// `train` is a small stage of training; faults at a step are asked for by name.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <tests/dist/siamese_net.hpp>
#include <unistd.h>

#include <diffsiam/data/loader.hpp>
#include <diffsiam/dist/mpi.hpp>
#include <diffsiam/train/stage.hpp>

using namespace diffsiam;
using test::SiameseNet;

namespace {

using B = backend::Cpu<float>;

std::atomic<bool> stop_asked{false};

void require(bool good, char const* what) {
  if (!good) throw Error(std::string("mpi_ranks: not as expected: ") + what);
}

/// Blocks with the numbers of sender, receiver and element.
void try_transfers(dist::Mpi& ranks) {
  int const rank = ranks.rank(), size = ranks.size();
  auto const n = static_cast<std::size_t>(size);
  for (std::size_t const each : {std::size_t{1}, std::size_t{1000}, std::size_t{100000}}) {
    std::vector<int> sent(n * each), received(n * each), gathered(n * each);
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = rank * 1000000 + static_cast<int>(i);
    auto blocks = ranks.start_all_to_all(sent.data(), received.data(), each * sizeof(int));
    auto all = ranks.start_all_gather(sent.data(), gathered.data(), each * sizeof(int));
    all.wait();
    while (!blocks.test()) {
    }
    for (std::size_t from = 0; from < n; ++from)
      for (std::size_t i = 0; i < each; ++i) {
        int const first = static_cast<int>(from) * 1000000 + static_cast<int>(i);
        require(gathered[from * each + i] == first, "a gathered value");
        require(received[from * each + i] == first + rank * static_cast<int>(each), "a received value");
      }
  }
  std::array<double, 2> values{rank + 1.0, 2};
  dist::all_reduce_sum<double>(ranks, values);
  require(values[0] == size * (size + 1) / 2.0 && values[1] == 2.0 * size, "a sum");
  int word = rank == size - 1 ? 42 : 0;
  ranks.broadcast(&word, sizeof(word), size - 1);
  require(word == 42, "a broadcast");
  ranks.barrier();
  dist::CommunicatorRef const any = ranks;
  bool refused = false;
  try {
    dist::require_same(any, "settings", rank == size - 1 && size > 1 ? "b" : "a");
  } catch (ConfigError const&) {
    refused = true;
  }
  require(refused == (size > 1), "a difference");
}

/// 96 pictures of 1 x 5 pixels.
data::Dataset pictures(bool others) {
  std::vector<std::uint8_t> pixels(96 * 5);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(Rng{.seed = 8}.below(256, i));
  if (others) pixels[7] ^= 1U;
  std::vector<int> labels(96);
  std::iota(labels.begin(), labels.end(), 0);
  return data::Dataset::from(pixels, {96, 1, 5, 1}, labels);
}

struct Options {
  std::map<std::string, std::string> given;
  [[nodiscard]] std::string text(std::string const& name, std::string const& otherwise) const {
    auto const found = given.find(name);
    return found == given.end() ? otherwise : found->second;
  }
  [[nodiscard]] int number(std::string const& name, int otherwise) const {
    return std::atoi(text(name, std::to_string(otherwise)).c_str());
  }
};

/// What goes wrong on this rank at this step.
void meet_fault(std::string const& fault) {
  if (fault == "die") std::raise(SIGKILL);
  if (fault == "hang") std::raise(SIGSTOP);
  if (fault == "throw") throw FileError("a.png is gone");
  if (fault == "interrupt") stop_asked.store(true);
}

void run_stage(dist::Mpi& ranks, std::filesystem::path const& folder, Options const& options) {
  std::string const fault = options.text("fault", "none");
  bool const mine = ranks.rank() == options.number("rank", 0);
  auto const fault_step = static_cast<std::uint64_t>(options.number("step", 5));
  B::Context context{{.threads = 1}};
  SiameseNet<B> const net{context};
  test::SiameseTraining<B> training{net};
  dist::DataParallel<B> division{
      ranks, nn::parameters(net), {.pieces = options.number("pieces", 4), .bucket_bytes = 128}};
  training.step.divide(division);
  Index const batch = 24;
  auto const [begin, end] = division.own_samples(batch);
  data::Loader loader{pictures(fault == "other_pictures" && mine),
                      {.batch_size = batch, .seed = 3, .part = data::BatchPart{begin, end}}};
  train::StageConfig config{
      .name = "net",
      .folder = folder,
      .steps = static_cast<std::uint64_t>(options.number("steps", 12)),
      .resume = options.number("resume", 0) != 0,
      .settings = {{"rate", 0.02}, {"seed", fault == "other_settings" && mine ? 2 : 1}}};
  std::vector<float> images;
  config.next_batch = [&] {
    auto const next = loader.next();
    images.assign(next.images.begin(), next.images.end());
    std::this_thread::sleep_for(std::chrono::milliseconds{options.number("slow", 0)});
    if (mine && fault_step == training.step.steps()) meet_fault(fault);
  };
  config.save = {.steps = 3};
  config.stop = &stop_asked;
  config.progress = &std::cout;
  config.looks = 2;
  auto const loss = [&](Tape<B>& tape, train::MicroBatch const& at) {
    auto const own = Tensor<B>::from(context, {end - begin, 5}, std::span<float const>(images));
    auto const x = at.part(own);
    Tensor<B> const views{context, {2 * x.shape().samples(), 5}};
    Index const n = x.shape().samples();
    views.samples(0, n).assign(x);
    views.samples(n, 2 * n).assign(x + 0.1 * diffusion::normal<B>(context, x.shape(), at.rng));
    bool const bad = fault == "nan" && mine && at.step == fault_step;
    return ops::scale(net.dropped(tape.input(views)), bad ? std::numeric_limits<double>::quiet_NaN() : 1.0);
  };
  train::Stage{std::move(config)}.run(training.step, loader, loss, net);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGTERM, SIG_DFL);
  std::string const command = argc > 1 ? argv[1] : "";
  Options options;
  for (int i = 3; i < argc; ++i) {
    std::string const word = argv[i];
    options.given[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  }
  int rank = 0;
  try {
    dist::Mpi ranks{{.time_out = std::chrono::milliseconds{options.number("time_out_ms", 60000)}}};
    rank = ranks.rank();
    if (options.number("tell", 0) != 0)
      std::printf("rank %d is process %d\n", rank, static_cast<int>(getpid()));
    std::fflush(stdout);
    if (command == "transfers")
      try_transfers(ranks);
    else if (command == "train" && argc > 2)
      run_stage(ranks, argv[2], options);
    else
      throw Error("usage: mpi_ranks transfers, or mpi_ranks train FOLDER [name=value ...]");
    return 0;
  } catch (std::exception const& error) {
    // Rank 0 tells; the others only where it does not.
    if (rank != 0) std::this_thread::sleep_for(std::chrono::seconds{3});
    std::fprintf(stderr, "mpi_ranks, on rank %d: %s\n", rank, error.what());
    return dynamic_cast<Interrupted const*>(&error) != nullptr ? 130 : 1;
  }
}
