// A Dataset from numpy's .npz: pictures and labels as arrays of one archive (component npz).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <diffsiam/data/arrays.hpp>
#include <diffsiam/io/npz.hpp>

namespace diffsiam::data {

/// Pictures, and labels where there are some, under the names that config has. Other arrays of the file are
/// not read. dSprites, as an example, is load_npz(path, {.range = PixelRange::zero_to_one, .images =
/// "imgs"}). Throws FileError as io::NpzFile and dataset_from do.
[[nodiscard]] inline Dataset load_npz(std::filesystem::path const& path, ArrayConfig const& config = {},
                                      io::NpzLimits const& limits = {}) {
  io::NpzFile file{path, limits};
  auto const shown = [&](std::string const& name) {
    return io::detail::shown_name(name) + " of " + io::detail::quoted(path);
  };
  std::string const name = config.labels.value_or("labels");
  std::optional<io::NpyArray> numbers;
  std::optional<detail::ArrayView> labels;
  if (config.labels || file.contains(name)) {
    numbers = file.read(name);
    labels = detail::view_of(*numbers, shown(name));
  }
  auto const held = std::make_shared<io::NpyArray const>(file.read(config.images));
  return detail::dataset_of(detail::view_of(*held, shown(config.images)), held, labels ? &*labels : nullptr,
                            config);
}

}  // namespace diffsiam::data
