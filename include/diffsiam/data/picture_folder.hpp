// PictureFolder: people's own pictures, decoded and brought to one size when they are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <diffsiam/data/fit.hpp>
#include <diffsiam/data/picture_files.hpp>
#include <diffsiam/data/picture_key.hpp>
#include <diffsiam/data/picture_source.hpp>
#include <diffsiam/io/decode_picture.hpp>

namespace diffsiam::data {

/// A PictureSource with labels, to be read as it is or by way of a cache file (picture_cache.hpp):
///     Dataset const all{PictureFolder{list_pictures("photos"), {.height = 32, .width = 32, .channels = 3}}};
class PictureFolder {
 public:
  /// Nothing is read yet. Throws ConfigError for a size that FitConfig refuses.
  PictureFolder(PictureFiles files, FitConfig const& fit, io::DecodeOptions const& decode = {})
      : files_(std::move(files)), fit_(fit), decode_(decode) {
    require_fit(fit_);
  }

  [[nodiscard]] Index size() const { return static_cast<Index>(files_.paths.size()); }
  [[nodiscard]] ImageExtent extent() const { return fit_.extent(); }
  [[nodiscard]] std::vector<int> labels() const { return files_.labels; }
  /// Of the labels: those of the sub-folders or of the table.
  [[nodiscard]] std::vector<std::string> class_names() const { return files_.classes; }
  /// The path of picture i below the folder.
  [[nodiscard]] std::string name(Index i) const { return files_.paths[static_cast<std::size_t>(i)]; }

  /// Throws FileError, naming the picture, for one that cannot be read.
  void read(Index i, std::span<std::uint8_t> out) const { (void)read_sized(i, out); }
  /// The same; returns the extents that the picture has in its file.
  ImageExtent read_sized(Index i, std::span<std::uint8_t> out) const {
    std::filesystem::path const path = files_.folder / name(i);
    io::DecodeOptions named = decode_;
    named.name = path.string();
    io::Picture const picture = io::decode_picture(io::read_file(path), named);
    fit_picture(picture, fit_, out);
    return {.height = picture.height, .width = picture.width, .channels = picture.channels};
  }

  /// All that the pixels of picture i depend on: path, size, time of last change, and how it is read.
  [[nodiscard]] std::string key(Index i) const { return file_key(files_.folder / name(i)); }
  /// All that the pixels of every picture depend on.
  [[nodiscard]] std::string settings_key() const { return fit_key(fit_, decode_); }

 private:
  PictureFiles files_;
  FitConfig fit_;
  io::DecodeOptions decode_;
};

}  // namespace diffsiam::data
