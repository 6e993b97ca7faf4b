// CIFAR-10 and CIFAR-100 (Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009): 50,000 +
// 10,000 colour pictures of 32 x 32. Read in their binary version, cifar-10-binary.tar.gz and
// cifar-100-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html: records of one or two labels, then
// the red, green and blue plane.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/data/class_names.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/idx.hpp>
#include <diffsiam/io/file.hpp>

namespace diffsiam::data {

/// What load_cifar10 and load_cifar100 return.
struct Cifar {
  Dataset train;                         ///< 50,000 pictures in the published files
  Dataset test;                          ///< 10,000
  std::vector<std::string> class_names;  ///< of the labels; empty where the folder has no file of names
};

/// Which labels of CIFAR-100.
enum class CifarLabels {
  fine,   ///< 100 classes
  coarse  ///< 20 superclasses
};

namespace detail {

/// How the records of a binary file begin.
struct CifarRecord {
  std::size_t labels;  ///< bytes
  std::size_t used;    ///< which of them
  int classes;
};

/// All records of some files, in order.
[[nodiscard]] inline Dataset read_cifar(std::filesystem::path const& folder,
                                        std::span<std::string_view const> names, CifarRecord const& record) {
  constexpr std::size_t side = 32, plane = side * side, channels = 3;
  constexpr std::string_view hint = "the binary version is needed: not the one for Python or for Matlab";
  ImageSet images{.count = 0, .height = side, .width = side, .channels = channels, .pixels = {}};
  std::vector<int> labels;
  std::vector<std::byte> bytes(record.labels + channels * plane);
  for (std::string_view const name : names) {
    std::filesystem::path const path = folder / name;
    if (!io::file_exists(path))
      fail<FileError>("load_cifar", {"the file ", io::detail::quoted(path)}, io::detail::nothing_there, hint);
    io::InputFile file{path, "load_cifar"};
    if (file.size() == 0 || file.size() % bytes.size() != 0)
      fail<FileError>("load_cifar", {"records of ", bytes.size(), " bytes in ", io::detail::quoted(path)},
                      {file.size(), " bytes"}, "truncated, or the other CIFAR?");
    std::uint64_t const records = file.size() / bytes.size();
    images.pixels.reserve(images.pixels.size() + static_cast<std::size_t>(records) * channels * plane);
    for (std::uint64_t i = 0; i < records; ++i) {
      file.read(bytes);
      int const label = std::to_integer<int>(bytes[record.used]);
      if (label >= record.classes)
        fail<FileError>("load_cifar", {"labels below ", record.classes, " in ", io::detail::quoted(path)},
                        {label, " in record ", i}, "the other CIFAR?");
      labels.push_back(label);
      for (std::size_t pixel = 0; pixel < plane; ++pixel)
        for (std::size_t channel = 0; channel < channels; ++channel)
          images.pixels.push_back(
              std::to_integer<std::uint8_t>(bytes[record.labels + channel * plane + pixel]));
    }
    images.count += static_cast<Index>(records);
  }
  return Dataset{std::move(images), std::move(labels)};
}

}  // namespace detail

/// CIFAR-10 from the folder cifar-10-batches-bin: data_batch_1.bin to data_batch_5.bin, test_batch.bin and,
/// where it is there, batches.meta.txt. Labels in 0..9. Throws FileError, naming the file, for one that is
/// missing, no whole number of records, or has a label of 10 and more.
[[nodiscard]] inline Cifar load_cifar10(std::filesystem::path const& folder) {
  constexpr std::array<std::string_view, 5> train{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                                  "data_batch_4.bin", "data_batch_5.bin"};
  constexpr std::array<std::string_view, 1> test{"test_batch.bin"};
  detail::CifarRecord const record{.labels = 1, .used = 0, .classes = 10};
  return {.train = detail::read_cifar(folder, train, record),
          .test = detail::read_cifar(folder, test, record),
          .class_names = detail::read_class_names(folder / "batches.meta.txt", 10)};
}

/// CIFAR-100 from the folder cifar-100-binary: train.bin, test.bin and, where they are there,
/// fine_label_names.txt or coarse_label_names.txt. Labels in 0..99, or in 0..19 of the superclasses. Throws
/// FileError as load_cifar10 does.
[[nodiscard]] inline Cifar load_cifar100(std::filesystem::path const& folder,
                                         CifarLabels labels = CifarLabels::fine) {
  constexpr std::array<std::string_view, 1> train{"train.bin"}, test{"test.bin"};
  bool const fine = labels == CifarLabels::fine;
  // The coarse label comes first.
  detail::CifarRecord const record{.labels = 2, .used = fine ? 1U : 0U, .classes = fine ? 100 : 20};
  return {.train = detail::read_cifar(folder, train, record),
          .test = detail::read_cifar(folder, test, record),
          .class_names = detail::read_class_names(
              folder / (fine ? "fine_label_names.txt" : "coarse_label_names.txt"), fine ? 100 : 20)};
}

}  // namespace diffsiam::data
