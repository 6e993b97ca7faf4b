// The pictures of tests/io/files/pictures, which other programs wrote.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/io/file.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::test {

inline std::filesystem::path const kept_pictures =
    std::filesystem::path{DIFFSIAM_TEST_DATA} / "../io/files/pictures";

/// The file, or its first `most` bytes.
[[nodiscard]] inline std::vector<std::byte> kept_picture(std::string const& name,
                                                         std::size_t most = 1 << 20) {
  std::vector<std::byte> bytes = io::read_file(kept_pictures / name);
  bytes.resize(std::min(bytes.size(), most));
  return bytes;
}

/// The pixels in a binary PGM or PPM file with values up to 255: NAME.pgm or NAME.ppm, whichever is there.
[[nodiscard]] inline io::Picture kept_pixels(std::filesystem::path const& folder, std::string const& name) {
  bool const grey = std::filesystem::exists(folder / (name + ".pgm"));
  std::istringstream file(read_text(folder / (name + (grey ? ".pgm" : ".ppm"))));
  std::string magic;
  int width = 0, height = 0, largest = 0;
  file >> magic >> width >> height >> largest;
  REQUIRE(magic == (grey ? "P5" : "P6"));
  REQUIRE(largest == 255);
  file.ignore();
  io::Picture picture = io::blank_picture(height, width, grey ? 1 : 3, 0);
  file.read(reinterpret_cast<char*>(picture.pixels.data()),
            static_cast<std::streamsize>(picture.pixels.size()));
  REQUIRE(file.good());
  return picture;
}

/// The largest difference of two pixels; 256 for pictures of different extents.
[[nodiscard]] inline int largest_difference(io::Picture const& a, io::Picture const& b) {
  if (a.height != b.height || a.width != b.width || a.channels != b.channels) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

/// Checks that `decode` throws a FileError for the file cut at every byte.
template <class Decode>
void check_cuts(std::vector<std::byte> const& file, Decode decode) {
  for (std::size_t size = 0; size < file.size(); ++size) {
    INFO("cut to " << size << " of " << file.size() << " bytes");
    // A copy of this very size, so that a sanitizer sees who reads on.
    CHECK_THROWS_AS(decode(std::vector(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))),
                    FileError);
  }
}

/// Decodes the file with each of its bytes changed, one at a time, and returns how often that was refused.
/// Nothing but a FileError may leave `decode`.
template <class Decode>
[[nodiscard]] std::size_t refused_changes(std::vector<std::byte> const& file, Decode decode) {
  std::size_t refused = 0;
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::vector<std::byte> changed = file;
    changed[i] ^= std::byte{static_cast<unsigned char>(1U << i % 8)};
    try {
      decode(changed);
    } catch (FileError const&) {
      ++refused;
    }
  }
  return refused;
}

}  // namespace diffsiam::test
