// The files of tests/data/files, which other programs wrote.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>

#include <diffsiam/data/byte_stream.hpp>
#include <diffsiam/io/file.hpp>

namespace diffsiam::test {

/// A folder of its own with the unpacked files of tests/data/files/`name` and of its sub-folders.
class KeptFiles {
 public:
  explicit KeptFiles(std::string const& name) {
    std::filesystem::path const from = std::filesystem::path{DIFFSIAM_TEST_DATA} / "../data/files" / name;
    for (auto const& entry : std::filesystem::recursive_directory_iterator{from}) {
      if (entry.path().extension() != ".gz") continue;
      std::filesystem::path const to =
          scratch_.folder() / entry.path().lexically_relative(from).replace_extension("");
      std::filesystem::create_directories(to.parent_path());
      data::ByteStream stream{entry.path(), "KeptFiles"};
      std::vector<std::byte> bytes(std::size_t{1} << 20);
      bytes.resize(stream.read(bytes));
      io::write_file(to, bytes);
    }
  }

  [[nodiscard]] std::filesystem::path const& folder() const { return scratch_.folder(); }
  [[nodiscard]] std::filesystem::path operator/(std::string const& name) const { return scratch_ / name; }

  /// Changes one of the files.
  template <class Change>
  void edit(std::string const& name, Change const& change) const {
    std::vector<std::byte> bytes = io::read_file(scratch_ / name);
    change(bytes);
    io::write_file(scratch_ / name, bytes);
  }
  void cut(std::string const& name, std::size_t bytes) const {
    edit(name, [&](std::vector<std::byte>& content) { content.resize(content.size() - bytes); });
  }

 private:
  Scratch scratch_;
};

}  // namespace diffsiam::test
