// STL-10 (Coates, Lee and Ng, AISTATS 2011): colour pictures of 96 x 96, 5,000 + 8,000 in ten classes and
// 100,000 without labels. Read in the binary version, stl10_binary.tar.gz of
// https://cs.stanford.edu/~acoates/stl10: pictures as a red, a green and a blue plane, each of them column by
// column, and labels 1..10.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/data/class_names.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/picture_source.hpp>
#include <diffsiam/io/file.hpp>
#include <diffsiam/io/mapped_file.hpp>

namespace diffsiam::data {

/// What load_stl10 returns.
struct Stl10 {
  Dataset train;                         ///< 5,000 pictures in the published files
  Dataset test;                          ///< 8,000
  std::vector<std::string> class_names;  ///< of the labels; empty where the folder has no class_names.txt
};

/// The pictures of one file, which stay on the disk until they are read: those without labels are 2.8 GB.
class Stl10Pictures {
 public:
  /// The extents of every picture.
  static constexpr ImageExtent picture{.height = 96, .width = 96, .channels = 3};

  /// No labels without a second file. Throws FileError for a file that is missing, no whole number of
  /// pictures, or has another number of labels, or labels outside of 1..10.
  explicit Stl10Pictures(std::filesystem::path const& pictures, std::filesystem::path const& labels = {}) {
    require_file(pictures);
    file_ = std::make_shared<io::MappedFile const>(pictures);
    std::size_t const bytes = file_->bytes().size();
    if (bytes == 0 || bytes % picture.size() != 0)
      fail<FileError>("load_stl10",
                      {"pictures of ", picture.size(), " bytes in ", io::detail::quoted(pictures)},
                      {bytes, " bytes"}, "truncated?");
    if (!labels.empty()) read_labels(labels);
  }

  [[nodiscard]] Index size() const { return static_cast<Index>(file_->bytes().size() / picture.size()); }
  [[nodiscard]] ImageExtent extent() const { return picture; }
  /// Of each picture, 0 to 9; empty without a file of labels.
  [[nodiscard]] std::vector<int> labels() const { return labels_; }
  /// Picture i with its channels last and its rows from the top.
  void read(Index i, std::span<std::uint8_t> out) const {
    auto const from = file_->bytes().subspan(static_cast<std::size_t>(i) * picture.size(), picture.size());
    std::size_t at = 0;
    for (std::size_t channel = 0; channel < 3; ++channel)
      for (std::size_t x = 0; x < 96; ++x)
        for (std::size_t y = 0; y < 96; ++y, ++at)
          out[(y * 96 + x) * 3 + channel] = std::to_integer<std::uint8_t>(from[at]);
  }

 private:
  static void require_file(std::filesystem::path const& path) {
    if (!io::file_exists(path))
      fail<FileError>("load_stl10", {"the file ", io::detail::quoted(path)}, io::detail::nothing_there,
                      "the binary version is needed: not the one for Matlab");
  }

  void read_labels(std::filesystem::path const& path) {
    require_file(path);
    io::InputFile file{path, "load_stl10"};
    if (file.size() != static_cast<std::uint64_t>(size()))
      fail<FileError>("load_stl10",
                      {size(), " labels of a byte in ", io::detail::quoted(path), ", one for each picture"},
                      {file.size(), " bytes"});
    std::vector<std::uint8_t> numbers(static_cast<std::size_t>(file.size()));
    file.read(std::as_writable_bytes(std::span(numbers)));
    for (int const number : numbers) {
      if (number < 1 || number > 10)
        fail<FileError>("load_stl10", {"labels in 1..10 in ", io::detail::quoted(path)}, number);
      labels_.push_back(number - 1);
    }
  }

  std::shared_ptr<io::MappedFile const> file_;
  std::vector<int> labels_;
};

static_assert(LabelledSource<Stl10Pictures>);

/// STL-10 from the folder stl10_binary: train_X.bin, train_y.bin, test_X.bin, test_y.bin and, where it is
/// there, class_names.txt. Labels in 0..9. Throws FileError as Stl10Pictures does.
[[nodiscard]] inline Stl10 load_stl10(std::filesystem::path const& folder) {
  return {.train = Dataset{Stl10Pictures{folder / "train_X.bin", folder / "train_y.bin"}},
          .test = Dataset{Stl10Pictures{folder / "test_X.bin", folder / "test_y.bin"}},
          .class_names = detail::read_class_names(folder / "class_names.txt", 10)};
}

/// The pictures without labels, unlabeled_X.bin of the same folder.
[[nodiscard]] inline Dataset load_stl10_unlabeled(std::filesystem::path const& folder) {
  return Dataset{Stl10Pictures{folder / "unlabeled_X.bin"}};
}

}  // namespace diffsiam::data
