// LmdbPictures: the packaging in which CelebA, FFHQ and LSUN are passed around for diffusion autoencoders
// (Preechakul et al., arXiv 2111.15640): an LMDB database of encoded pictures (component lmdb). The key of
// picture i is SIZE-NUMBER, with as many digits as the file has: None-0000000 in CelebA, 256-00000 in FFHQ,
// 256-0000000 in LSUN. The key "length" counts them.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/data/fit.hpp>
#include <diffsiam/data/picture_key.hpp>
#include <diffsiam/data/picture_source.hpp>
#include <diffsiam/io/decode_picture.hpp>
#include <diffsiam/io/lmdb_file.hpp>
#include <diffsiam/io/stored_shape.hpp>

namespace diffsiam::data {

namespace detail {

/// How the keys of one size begin, and how many digits their numbers have at least.
struct LmdbKeys {
  std::string size;
  std::size_t digits;

  /// "256-00012".
  [[nodiscard]] std::string of(std::uint64_t number) const {
    std::string const text = std::to_string(number);
    return size + "-" + std::string(digits - std::min(digits, text.size()), '0') + text;
  }
};

/// All sizes that a database has, by the first key of each. Throws FileError for a key of another form.
[[nodiscard]] inline std::vector<LmdbKeys> lmdb_keys(io::LmdbFile const& file) {
  constexpr std::size_t most_sizes = 64;
  std::vector<LmdbKeys> sizes;
  auto key = file.first_key();
  while (key) {
    if (*key == "length") {
      key = file.first_key(std::string("length") + '\0');
      continue;
    }
    std::size_t const dash = std::min(key->find('-'), key->size());
    std::string const number = key->substr(std::min(dash + 1, key->size()));
    if (dash == 0 || number.empty() || number.find_first_not_of('0') != std::string::npos ||
        sizes.size() == most_sizes)
      fail<FileError>("LmdbPictures",
                      {"keys such as 256-00000, from 0 on, in ", io::detail::quoted(file.path())},
                      io::detail::shown_name(*key));
    sizes.push_back({key->substr(0, dash), number.size()});
    key = file.first_key(key->substr(0, dash) + '.');  // the character behind the hyphen
  }
  return sizes;
}

}  // namespace detail

/// A PictureSource, to be read as it is or by way of a cache file (picture_cache.hpp). It has no labels.
class LmdbPictures {
 public:
  /// `path` is a folder with data.mdb, or the file itself. `size` is what the keys begin with; it need not be
  /// given where a file has pictures of one size alone. Without the key "length" all entries are pictures.
  /// Throws FileError for a file that is missing, damaged (see LmdbFile), or has other keys, ConfigError for
  /// a size that is not there or not given, and for a fit that FitConfig refuses.
  LmdbPictures(std::filesystem::path path, FitConfig const& fit, io::DecodeOptions decode = {},
               std::string const& size = "")
      : file_(std::make_unique<io::LmdbFile const>(std::move(path))), fit_(fit), decode_(std::move(decode)) {
    require_fit(fit_);
    std::vector<detail::LmdbKeys> const sizes = detail::lmdb_keys(*file_);
    std::string const shown = io::detail::quoted(file_->path());
    if (sizes.empty()) fail<FileError>("LmdbPictures", {"pictures in ", shown}, "none");
    auto const chosen = std::find_if(sizes.begin(), sizes.end(),
                                     [&](detail::LmdbKeys const& keys) { return keys.size == size; });
    if (chosen == sizes.end() && (!size.empty() || sizes.size() > 1)) {
      std::string known;
      for (detail::LmdbKeys const& keys : sizes) known += (known.empty() ? "" : ", ") + keys.size;
      fail<ConfigError>("LmdbPictures", {"one of the sizes that ", shown, " has: ", known},
                        size.empty() ? "none" : io::detail::shown_name(size));
    }
    keys_ = chosen == sizes.end() ? sizes.front() : *chosen;
    count_ = count(sizes.size());
    if (!file_->read(name(count_ - 1), [](std::span<std::byte const>) {}))
      fail<FileError>("LmdbPictures", {count_, " pictures in ", shown}, "no key " + name(count_ - 1));
  }

  [[nodiscard]] Index size() const { return count_; }
  [[nodiscard]] ImageExtent extent() const { return fit_.extent(); }
  /// The key of picture i.
  [[nodiscard]] std::string name(Index i) const { return keys_.of(static_cast<std::uint64_t>(i)); }

  /// Throws FileError, naming the picture, for one that is missing or cannot be decoded.
  void read(Index i, std::span<std::uint8_t> out) const { (void)read_sized(i, out); }
  /// The same; returns the extents that the picture has in the file.
  ImageExtent read_sized(Index i, std::span<std::uint8_t> out) const {
    std::string const key = name(i);
    io::DecodeOptions named = decode_;
    named.name = key + " of " + file_->path().string();
    io::Picture picture;
    bool const there = file_->read(
        key, [&](std::span<std::byte const> bytes) { picture = io::decode_picture(bytes, named); });
    if (!there)
      fail<FileError>("LmdbPictures", {"the key ", key, " in ", io::detail::quoted(file_->path())}, "none");
    fit_picture(picture, fit_, out);
    return {.height = picture.height, .width = picture.width, .channels = picture.channels};
  }

  /// All that the pixels of picture i depend on: its key, and path, size and time of last change of the file.
  [[nodiscard]] std::string key(Index i) const { return name(i) + " of " + file_key(file_->path()); }
  /// All that the pixels of every picture depend on.
  [[nodiscard]] std::string settings_key() const { return fit_key(fit_, decode_); }

 private:
  /// By the key "length", or by the entries where there is none.
  [[nodiscard]] Index count(std::size_t sizes) const {
    std::uint64_t number = file_->size();
    std::string shown = "no such key";
    bool known = sizes == 1;
    bool const there = file_->read("length", [&](std::span<std::byte const> bytes) {
      std::string_view const text{reinterpret_cast<char const*>(bytes.data()), bytes.size()};
      auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      known =
          error == std::errc() && end == text.data() + text.size() && number >= 1 && number < file_->size();
      shown = io::detail::shown_name(text);
    });
    if (!known)
      fail<FileError>("LmdbPictures",
                      {"the key length to count the pictures of ", io::detail::quoted(file_->path()),
                       ", which has ", file_->size(), there ? " entries" : " entries of several sizes"},
                      shown);
    return static_cast<Index>(number);
  }

  std::unique_ptr<io::LmdbFile const> file_;
  FitConfig fit_;
  io::DecodeOptions decode_;
  detail::LmdbKeys keys_{};
  Index count_ = 0;
};

static_assert(PictureSource<LmdbPictures>);

}  // namespace diffsiam::data
