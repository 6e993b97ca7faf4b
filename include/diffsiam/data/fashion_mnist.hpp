// Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv 1708.07747): 60,000 training and 10,000 test pictures, grey,
// 28 x 28, in ten classes. Debian's package dataset-fashion-mnist has the files.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/idx.hpp>

namespace diffsiam::data {

/// The training part (60,000 pictures) and the test part (10,000), with labels 0 to 9.
/// `class_names` are those of labels 0 to 9, `debian_folder` is where Debian's package puts the files, and
/// `train` and `test` are the two parts.
struct FashionMnist {
  static constexpr std::array<std::string_view, 10> class_names{
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  static constexpr std::string_view debian_folder = "/usr/share/datasets/fashion-mnist";

  Dataset train;
  Dataset test;
};

namespace detail {

/// The first file that can be read among `what`-`kind` and `what`.`kind` (as some mirrors name it), each
/// without and with .gz. Throws FileError, which says what is wrong and what to install.
[[nodiscard]] inline std::filesystem::path find_idx(std::filesystem::path const& folder,
                                                    std::string const& what, std::string const& kind) {
  std::string obstacles;
  for (char const* const joint : {"-", "."}) {
    for (char const* const ending : {"", ".gz"}) {
      std::string const name = what + joint + kind + ending;
      std::string const obstacle = io::detail::obstacle_at(folder / name);
      if (obstacle.empty()) return folder / name;
      if (obstacle != io::detail::nothing_there) obstacles += name + ": " + obstacle + "; ";
    }
  }
  fail<FileError>(
      "load_fashion_mnist",
      io::detail::quoted(folder / (what + "-" + kind)) + " or " + what + "." + kind + ", plain or with .gz",
      obstacles.empty() ? "no such file" : obstacles + "no other such file",
      "on Debian: apt-get install dataset-fashion-mnist");
}

[[nodiscard]] inline Dataset load_idx_pair(std::filesystem::path const& folder, std::string const& prefix) {
  std::filesystem::path const images_path = find_idx(folder, prefix + "-images", "idx3-ubyte");
  std::filesystem::path const labels_path = find_idx(folder, prefix + "-labels", "idx1-ubyte");
  ImageSet images = read_idx_images(images_path);
  std::vector<int> labels = read_idx_labels(labels_path);
  if (static_cast<Index>(labels.size()) != images.count)
    fail<FileError>("load_fashion_mnist",
                    std::to_string(images.count) + " labels in " + io::detail::quoted(labels_path) +
                        ", one for each picture",
                    labels.size());
  for (int const label : labels)
    if (label >= static_cast<int>(FashionMnist::class_names.size()))
      fail<FileError>("load_fashion_mnist", "labels below 10 in " + io::detail::quoted(labels_path), label);
  return Dataset{std::move(images), std::move(labels)};
}

}  // namespace detail

/// Both parts from a folder with the four IDX files, plain or gzip, with a hyphen or a dot in their names
/// (train-images-idx3-ubyte, train-images.idx3-ubyte). Throws FileError, with a hint, if a file is missing or
/// wrong, or if pictures and labels do not match.
[[nodiscard]] inline FashionMnist load_fashion_mnist(
    std::filesystem::path const& folder = FashionMnist::debian_folder) {
  return {.train = detail::load_idx_pair(folder, "train"), .test = detail::load_idx_pair(folder, "t10k")};
}

}  // namespace diffsiam::data
