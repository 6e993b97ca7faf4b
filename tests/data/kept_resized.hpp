// The pictures of tests/data/files/resize, which Pillow resized.
#pragma once

#include <filesystem>
#include <string>

#include <tests/io/kept_pictures.hpp>

#include <diffsiam/io/picture.hpp>

namespace diffsiam::test {

[[nodiscard]] inline io::Picture kept_resized(std::string const& name) {
  return kept_pixels(std::filesystem::path{DIFFSIAM_TEST_DATA} / "../data/files/resize", name);
}

}  // namespace diffsiam::test
