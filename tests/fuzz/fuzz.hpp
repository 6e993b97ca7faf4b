// What fuzz targets share. A target <name>.fuzz.cpp feeds any bytes to one reader (LLVMFuzzerTestOneInput),
// and gives files that the reader accepts (seeds). It aborts where
//   - anything but an Error of the library leaves the reader,
//   - the reader holds more memory at once than a stated multiple of the input's size,
//   - or what the reader promises of its result does not hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tests/support/heap.hpp>

#include <diffsiam/core/error.hpp>

namespace diffsiam::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// Of each target: inputs that its reader accepts. They are made, not kept, so that they follow the format.
[[nodiscard]] std::vector<Bytes> seeds();

/// How many inputs were accepted by their reader: none means that a target tests nothing but refusals.
inline std::uint64_t accepted = 0;

/// Ends the program, which fuzzers notice.
[[noreturn]] inline void report(std::string const& what) {
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}
inline void require(bool holds, char const* what) {
  if (!holds) report(std::string(what) + " does not hold");
}

/// What a reader may hold at once, in operator new: `factor` times the bytes of its input, and a constant.
struct Budget {
  std::size_t factor;
  std::size_t constant = std::size_t{1} << 17;
};

/// Runs `read`; false where it throws an Error. Every other exception leaves, and ends the program.
template <class Read>
bool reads(std::size_t input, Budget const& budget, Read read) {
  test::heap::reset_peak();
  std::size_t const before = test::heap::live();
  bool good = true;
  try {
    read();
  } catch (Error const& error) {
    // A message is for people: whole, and not as long as the file.
    require(std::string_view(error.what()).size() < 2000, "a message below 2000 bytes");
    good = false;
  }
  std::size_t const held = test::heap::peak() - before;
  if (held > budget.factor * input + budget.constant)
    report("a reader held " + std::to_string(held) + " bytes for an input of " + std::to_string(input));
  return good;
}

/// `text` as an input.
[[nodiscard]] inline Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}
[[nodiscard]] inline std::string_view text_of(std::span<std::uint8_t const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace diffsiam::fuzz

/// libFuzzer's, or that of replay.cpp: changes data[0, size) in place, to at most `most` bytes, and returns
/// the new size.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
