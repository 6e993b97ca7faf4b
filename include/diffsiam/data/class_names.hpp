// The names of classes, as CIFAR and STL-10 have them: a text file, one name a line, in the order of the
// labels.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/data/picture_files.hpp>
#include <diffsiam/io/file.hpp>

namespace diffsiam::data::detail {

/// Empty where there is no such file. Throws FileError for another number of names than `count`; empty lines
/// do not count.
[[nodiscard]] inline std::vector<std::string> read_class_names(std::filesystem::path const& path,
                                                               std::size_t count) {
  if (!io::file_exists(path)) return {};
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 16;
  std::vector<std::byte> const bytes = io::read_file(path, most_bytes);
  std::vector<std::string_view> const lines =
      lines_of({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
  if (lines.size() != count)
    fail<FileError>("read_class_names", {count, " names of classes in ", io::detail::quoted(path)},
                    {lines.size(), " lines that are not empty"});
  return {lines.begin(), lines.end()};
}

}  // namespace diffsiam::data::detail
