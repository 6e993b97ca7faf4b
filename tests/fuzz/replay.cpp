// Runs a fuzz target without libFuzzer: its seeds, the kept corpus, and then mutations of both, always the
// same ones in the same order, as far as the time goes.
//
//   fuzz_NAME [FILE or FOLDER]... [--seconds S] [--dictionary FILE]    ends with 0, or by abort
//   fuzz_NAME --write-seeds FOLDER                                    the seeds, for libFuzzer
//
// Where the target aborts, the input is left as crash-fuzz_NAME in the working folder.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <tests/fuzz/fuzz.hpp>
#include <unistd.h>

extern "C" [[gnu::weak]] std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                                             std::size_t most, unsigned seed);

namespace {

using diffsiam::fuzz::Bytes;

constexpr std::size_t most_growth = 4096;  // of an input by one mutation

std::mt19937_64 generator{20240229};
std::vector<Bytes> tokens{{0}, {255}, {'"'}, {'{'}, {'}'}, {'['}, {']'}, {','}, {'\n'}};
std::vector<Bytes> inputs;
// What the handler of a signal can reach.
Bytes current;
std::string crash_file;

std::size_t below(std::size_t bound) {
  return bound == 0 ? 0 : static_cast<std::size_t>(generator() % bound);
}

void leave_input(int signal) {
  int const file = ::open(crash_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  bool const written = ::write(file, current.data(), current.size()) >= 0;
  char const* const message = written ? "fuzz: the input was left as crash-*\n" : "fuzz: the input is lost\n";
  if (::write(2, message, std::strlen(message)) < 0) ::_exit(1);
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

/// A stack that overflows needs another one to say so.
void catch_signals() {
  static char other_stack[1 << 16];
  stack_t const stack{.ss_sp = other_stack, .ss_flags = 0, .ss_size = sizeof other_stack};
  ::sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_handler = leave_input;
  action.sa_flags = SA_ONSTACK;
  for (int const signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) ::sigaction(signal, &action, nullptr);
}

void run(Bytes const& input) {
  current = input;
  LLVMFuzzerTestOneInput(current.data(), current.size());
}

Bytes file_content(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The lines name="value" of libFuzzer's dictionaries, with \xNN, \" and \\.
void add_dictionary(std::filesystem::path const& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::size_t const open = line.find('"'), close = line.rfind('"');
    if (line.starts_with('#') || open == std::string::npos || close <= open) continue;
    Bytes token;
    for (std::size_t i = open + 1; i < close; ++i) {
      if (line[i] != '\\')
        token.push_back(static_cast<std::uint8_t>(line[i]));
      else if (line[++i] != 'x')
        token.push_back(static_cast<std::uint8_t>(line[i]));
      else
        token.push_back(static_cast<std::uint8_t>(std::stoi(line.substr(i + 1, 2), nullptr, 16))), i += 2;
    }
    tokens.push_back(token);
  }
}

void mutate_once(Bytes& bytes) {
  std::size_t const at = below(bytes.size() + 1);
  auto const place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  auto const insert = [&](Bytes const& what) { bytes.insert(place, what.begin(), what.end()); };
  auto const overwrite = [&](auto change) {
    if (at < bytes.size()) bytes[at] = static_cast<std::uint8_t>(change(bytes[at]));
  };
  switch (below(9)) {
    case 0:
      return overwrite([](unsigned byte) { return byte ^ (1U << below(8)); });
    case 1:
      return overwrite([](unsigned) { return below(256); });
    case 2:  // digits stay digits: the numbers of a header, and its JSON, stay plausible
      for (std::size_t i = at; i < bytes.size(); ++i)
        if (bytes[i] >= '0' && bytes[i] <= '9') {
          bytes[i] = static_cast<std::uint8_t>('0' + below(10));
          return;
        }
      return;
    case 3:
      bytes.erase(place,
                  bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), at + 1 + below(16))));
      return;
    case 4:
      if (below(4) == 0) bytes.resize(at);
      return;
    case 5:
    case 6:
      return insert(tokens[below(tokens.size())]);
    case 7: {  // a piece of itself again, perhaps often
      Bytes const piece(
          place, bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), at + 1 + below(32))));
      Bytes repeated;
      for (std::size_t times = 1 + below(below(8) == 0 ? 200 : 2); times > 0; --times)
        repeated.insert(repeated.end(), piece.begin(), piece.end());
      return insert(repeated);
    }
    default: {  // a piece of another input
      Bytes const& other = inputs[below(inputs.size())];
      std::size_t const from = below(other.size()), count = std::min(other.size() - from, 1 + below(64));
      return insert({other.begin() + static_cast<std::ptrdiff_t>(from),
                     other.begin() + static_cast<std::ptrdiff_t>(from + count)});
    }
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most) {
  Bytes bytes(data, data + size);
  for (std::size_t times = 1 + below(3); times > 0; --times) mutate_once(bytes);
  bytes.resize(std::min(bytes.size(), most));
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

int main(int argc, char** argv) {
  std::string const name = std::filesystem::path(argv[0]).filename().string();
  double seconds = 0;
  inputs = diffsiam::fuzz::seeds();
  for (int i = 1; i < argc; ++i) {
    std::string const argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) {
      seconds = std::stod(argv[++i]);
    } else if (argument == "--dictionary" && i + 1 < argc) {
      add_dictionary(argv[++i]);
    } else if (argument == "--write-seeds" && i + 1 < argc) {
      std::filesystem::path const folder = argv[++i];
      std::filesystem::create_directories(folder);
      for (std::size_t seed = 0; seed < inputs.size(); ++seed)
        std::ofstream(folder / ("seed-" + std::to_string(seed)), std::ios::binary)
            .write(reinterpret_cast<char const*>(inputs[seed].data()),
                   static_cast<std::streamsize>(inputs[seed].size()));
      return 0;
    } else if (std::filesystem::is_directory(argument)) {
      std::vector<std::filesystem::path> files;
      for (auto const& entry : std::filesystem::directory_iterator(argument)) files.push_back(entry.path());
      std::sort(files.begin(), files.end());
      for (auto const& file : files) inputs.push_back(file_content(file));
    } else if (std::filesystem::exists(argument)) {
      inputs.push_back(file_content(argument));
    } else {
      std::fprintf(stderr, "%s: no such file or option: %s\n", name.c_str(), argument.c_str());
      return 2;
    }
  }
  crash_file = "crash-" + name;
  catch_signals();
  std::size_t const seeds = diffsiam::fuzz::seeds().size();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    run(inputs[i]);
    if (i >= seeds || diffsiam::fuzz::accepted == i + 1) continue;
    std::fprintf(stderr, "%s: seed %zu is refused, so what lies behind is not tested\n", name.c_str(), i);
    return 1;
  }

  using Clock = std::chrono::steady_clock;
  auto const end = Clock::now() + std::chrono::duration<double>(seconds);
  std::uint64_t mutations = 0;
  for (; Clock::now() < end; ++mutations) {
    Bytes input = inputs[below(inputs.size())];
    std::size_t const size = input.size(), most = size + most_growth;
    input.resize(most);
    auto const seed = static_cast<unsigned>(generator());
    input.resize(LLVMFuzzerCustomMutator != nullptr ? LLVMFuzzerCustomMutator(input.data(), size, most, seed)
                                                    : LLVMFuzzerMutate(input.data(), size, most));
    run(input);
  }
  std::printf("%s: %zu inputs, %llu mutations, %llu accepted\n", name.c_str(), inputs.size(),
              static_cast<unsigned long long>(mutations),
              static_cast<unsigned long long>(diffsiam::fuzz::accepted));
  return 0;
}
