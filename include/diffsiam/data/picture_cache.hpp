// Pictures of a source, decoded once into a file that is mapped into memory: a set may be larger than memory,
// and no training step waits for a decoder. The file is a safetensors file that any program opens:
//
//   pixels  U8  (n, h, w, c)      labels  I64  (n), where there are some      about  U8  JSON: names, classes
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <diffsiam/core/thread_pool.hpp>
#include <diffsiam/data/dataset.hpp>
#include <diffsiam/data/picture_source.hpp>
#include <diffsiam/io/leftovers.hpp>
#include <diffsiam/io/safetensors_reader.hpp>

namespace diffsiam::data {

/// Satisfied if and only if S is a PictureSource that says of picture i its name and all that its pixels
/// depend on, as text: key(i) of its own, settings_key() of all of them. Models: PictureFolder,
/// LmdbPictures.
template <class S>
concept CacheableSource = PictureSource<S> && requires(S const& source, Index i) {
  { source.name(i) } -> std::convertible_to<std::string>;
  { source.key(i) } -> std::convertible_to<std::string>;
  { source.settings_key() } -> std::convertible_to<std::string>;
};

/// How a cache is made.
struct PictureCacheConfig {
  std::filesystem::path path;  ///< of the cache file
  /// Leaves out pictures that cannot be read; otherwise such a picture is an error.
  bool skip_unreadable = false;
  std::string skip_hint = "skip_unreadable";  ///< what the program calls that, for errors
  /// Called after each piece of work, by the thread that waits. What it throws ends the work.
  std::function<void(Index done, Index all)> progress = [](Index, Index) {};
};

/// A picture that was left out: its `name` in the source, and the `reason` why.
struct UnreadablePicture {
  std::string name, reason;
};

/// What is in a cache file.
struct CachedPictures {
  Dataset pictures;  ///< those that could be read, in the order of the source, mapped from the file
  std::vector<std::string> names;             ///< of each
  std::vector<std::string> class_names;       ///< of the labels; empty where the source has none
  std::vector<UnreadablePicture> unreadable;  ///< what was left out
  /// The pictures whose pixels equal those of an earlier one, ascending; told by a hash of 64 bits.
  std::vector<Index> repeats;
  ImageExtent smallest, largest;  ///< sides and channels in the files, where the source tells them; else zero
  bool built = false;             ///< by this call; false: the file was there already
};

namespace detail {

inline constexpr std::string_view cache_key = "diffsiam pictures 1";
/// The header takes so many bytes with its length, so that pixels begin at a page.
inline constexpr std::size_t cache_header_bytes = 4096;

/// FNV-1a.
class Fingerprint {
 public:
  void add(std::span<std::uint8_t const> bytes) {
    for (std::uint8_t const byte : bytes) value_ = (value_ ^ byte) * 0x100000001B3U;
  }
  void add(std::string_view text) {
    add(std::span{reinterpret_cast<std::uint8_t const*>(text.data()), text.size()});
    add(std::array<std::uint8_t, 1>{0});  // an end, so that "ab", "c" is not "a", "bc"
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325U;
};

/// Of everything that the content of the cache depends on.
template <CacheableSource S>
[[nodiscard]] std::string fingerprint_of(S const& source, bool skip_unreadable) {
  Fingerprint print;
  ImageExtent const extent = source.extent();
  print.add(text({shown(extent), skip_unreadable ? " skips" : "", " ", source.settings_key()}));
  if constexpr (LabelledSource<S>) {
    for (int const label : source.labels()) print.add(text({label}));
  }
  if constexpr (requires { source.class_names(); }) {
    for (std::string const& name : source.class_names()) print.add(name);
  }
  for (Index i = 0; i < source.size(); ++i) print.add(source.key(i));
  return text({source.size(), " pictures, ", print.value()});
}

[[nodiscard]] inline nlohmann::json json_of(ImageExtent const& extent) {
  return {extent.height, extent.width, extent.channels};
}
[[nodiscard]] inline ImageExtent extent_of(nlohmann::json const& json) {
  return {.height = json.at(0), .width = json.at(1), .channels = json.at(2)};
}

/// What stands at config.path if it was made from the same source in the same way. Any other file is stale.
[[nodiscard]] inline std::optional<CachedPictures> open_cache(std::filesystem::path const& path,
                                                              std::string const& fingerprint) {
  if (!io::file_exists(path)) return std::nullopt;
  try {
    auto const file = io::SafetensorsFile::map(path);
    auto const key = file.metadata().find(std::string(cache_key));
    if (key == file.metadata().end() || key->second != fingerprint) return std::nullopt;
    auto const about_bytes = file.bytes("about");
    auto const about =
        nlohmann::json::parse(reinterpret_cast<char const*>(about_bytes.data()),
                              reinterpret_cast<char const*>(about_bytes.data()) + about_bytes.size());
    std::vector<std::int64_t> const& shape = file.shape("pixels");
    if (shape.size() != 4) return std::nullopt;
    auto const pixels = file.bytes("pixels");
    std::vector<int> labels;
    if (file.contains("labels"))
      for (std::int64_t const label : file.values<std::int64_t>("labels"))
        labels.push_back(static_cast<int>(label));
    CachedPictures cached{.pictures = Dataset::borrow(
                              {reinterpret_cast<std::uint8_t const*>(pixels.data()), pixels.size()},
                              {shape[0], shape[1], shape[2], shape[3]}, std::move(labels), file.owner()),
                          .names = about.at("names"),
                          .class_names = about.at("classes"),
                          .unreadable = {},
                          .repeats = about.at("repeats"),
                          .smallest = extent_of(about.at("smallest")),
                          .largest = extent_of(about.at("largest"))};
    for (auto const& each : about.at("unreadable")) cached.unreadable.push_back({each.at(0), each.at(1)});
    if (static_cast<Index>(cached.names.size()) != cached.pictures.size()) return std::nullopt;
    return cached;
  } catch (Error const&) {  // a damaged file is made again
    return std::nullopt;
  } catch (nlohmann::json::exception const&) {
    return std::nullopt;
  }
}

/// Writes the file of a source, piece by piece.
template <CacheableSource S>
class CacheBuilder {
 public:
  CacheBuilder(S const& source, PictureCacheConfig const& config, ThreadPool& threads)
      : source_(source),
        config_(config),
        threads_(threads),
        extent_(source.extent()),
        each_(extent_.size()),
        file_(config.path) {
    if constexpr (LabelledSource<S>) labels_ = source.labels();
  }

  void build(std::string const& fingerprint) {
    std::array<std::byte, cache_header_bytes> const no_header{};
    file_.write(no_header);
    for (Index begin = 0; begin < source_.size(); begin += piece) {
      Index const count = std::min(piece, source_.size() - begin);
      read_piece(begin, count);
      write_piece(begin, count);
      config_.progress(begin + count, source_.size());
    }
    if (names_.empty())
      fail<FileError>("cache_pictures", {"one picture or more that can be read, of ", source_.size()}, "none",
                      unreadable_.empty() ? "" : unreadable_.front().reason);
    write_rest(fingerprint);
    file_.commit();
  }

 private:
  static constexpr Index piece = 256;

  struct Read {
    std::string error;  ///< why it cannot be read; "" when it can
    ImageExtent extent;
  };

  void read_piece(Index begin, Index count) {
    pixels_.resize(static_cast<std::size_t>(count) * each_);
    read_.assign(static_cast<std::size_t>(count), {});
    threads_.run(count, [&](Index i, int) {
      auto const at = static_cast<std::size_t>(i);
      std::span<std::uint8_t> const out = std::span(pixels_).subspan(at * each_, each_);
      try {
        if constexpr (requires { source_.read_sized(i, out); })
          read_[at].extent = source_.read_sized(begin + i, out);
        else
          source_.read(begin + i, out);
      } catch (FileError const& error) {
        if (!config_.skip_unreadable)
          throw FileError(text({error.what(), " (", config_.skip_hint, " leaves such pictures out)"}));
        read_[at].error = error.what();
      }
    });
  }

  void write_piece(Index begin, Index count) {
    for (Index i = 0; i < count; ++i) {
      auto const at = static_cast<std::size_t>(i);
      auto const picture = static_cast<std::size_t>(begin + i);
      if (!read_[at].error.empty()) {
        unreadable_.push_back({source_.name(begin + i), read_[at].error});
        continue;
      }
      std::span<std::uint8_t const> const pixels = std::span(pixels_).subspan(at * each_, each_);
      file_.write(std::as_bytes(pixels));
      Fingerprint print;
      print.add(pixels);
      if (!seen_.insert(print.value()).second) repeats_.push_back(static_cast<Index>(names_.size()));
      names_.push_back(source_.name(begin + i));
      if (!labels_.empty()) kept_labels_.push_back(labels_[picture]);
      note_size(read_[at].extent);
    }
  }

  void note_size(ImageExtent const& extent) {
    if (names_.size() == 1) smallest_ = largest_ = extent;
    smallest_ = {std::min(smallest_.height, extent.height), std::min(smallest_.width, extent.width),
                 std::min(smallest_.channels, extent.channels)};
    largest_ = {std::max(largest_.height, extent.height), std::max(largest_.width, extent.width),
                std::max(largest_.channels, extent.channels)};
  }

  /// Labels, what is known of the pictures, and the header, which could not be known before.
  void write_rest(std::string const& fingerprint) {
    nlohmann::json about{
        {"names", names_},     {"classes", nlohmann::json::array()}, {"unreadable", nlohmann::json::array()},
        {"repeats", repeats_}, {"smallest", json_of(smallest_)},     {"largest", json_of(largest_)}};
    if constexpr (requires { source_.class_names(); }) about["classes"] = source_.class_names();
    for (UnreadablePicture const& each : unreadable_) about["unreadable"].push_back({each.name, each.reason});
    // Names of files need not be UTF-8.
    std::string const words = about.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);

    nlohmann::ordered_json header{{"__metadata__", {{cache_key, fingerprint}}}};
    std::uint64_t end = 0;
    auto const add = [&](char const* name, char const* dtype, nlohmann::json shape, std::uint64_t bytes) {
      header[name] = {{"dtype", dtype}, {"shape", std::move(shape)}, {"data_offsets", {end, end + bytes}}};
      end += bytes;
    };
    add("pixels", "U8", {names_.size(), extent_.height, extent_.width, extent_.channels},
        names_.size() * each_);
    if (!kept_labels_.empty()) {
      add("labels", "I64", {kept_labels_.size()}, kept_labels_.size() * sizeof(std::int64_t));
      file_.write(std::as_bytes(std::span(kept_labels_)));
    }
    add("about", "U8", {words.size()}, words.size());
    file_.write(words);

    std::string json = header.dump();
    std::uint64_t const length = cache_header_bytes - sizeof length;
    json.resize(length, ' ');
    file_.overwrite(0, std::as_bytes(std::span(&length, 1)));
    file_.overwrite(sizeof length, std::as_bytes(std::span(json)));
  }

  S const& source_;
  PictureCacheConfig const& config_;
  ThreadPool& threads_;
  ImageExtent extent_;
  std::size_t each_;
  io::AtomicFile file_;
  std::vector<int> labels_;
  // Of the piece at hand.
  std::vector<std::uint8_t> pixels_;
  std::vector<Read> read_;
  // Of all pictures so far.
  std::vector<std::string> names_;
  std::vector<std::int64_t> kept_labels_;
  std::vector<UnreadablePicture> unreadable_;
  std::unordered_set<std::uint64_t> seen_;
  std::vector<Index> repeats_;
  ImageExtent smallest_{0, 0, 0}, largest_{0, 0, 0};
};

}  // namespace detail

/// The pictures of `source` from the cache file, which is built first, on all threads, where there is none,
/// or one of other pictures or settings, or a damaged one. It is written atomically: a process that is killed
/// while it builds leaves nothing that is taken for a cache. Holds 256 pictures in memory, and a name of
/// each. Throws FileError for a picture that cannot be read, unless these are skipped; when none can be read;
/// and when the disk is full or the file cannot be written.
template <CacheableSource S>
[[nodiscard]] CachedPictures cache_pictures(S const& source, PictureCacheConfig const& config,
                                            ThreadPool& threads) {
  std::string const fingerprint = detail::fingerprint_of(source, config.skip_unreadable);
  if (auto cached = detail::open_cache(config.path, fingerprint)) return std::move(*cached);
  io::remove_leftovers(config.path);
  detail::CacheBuilder<S>{source, config, threads}.build(fingerprint);
  auto built = detail::open_cache(config.path, fingerprint);
  if (!built)
    fail<FileError>("cache_pictures", {"to read back ", io::detail::quoted(config.path)}, "another content",
                    "did another program write it meanwhile?");
  built->built = true;
  return std::move(*built);
}

}  // namespace diffsiam::data
