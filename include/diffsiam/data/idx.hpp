// IDX, the file format of MNIST, plain or gzip: 0, 0, type (8 = unsigned byte), rank, then the extents as
// big-endian 32-bit numbers, then the values (Y. LeCun, http://yann.lecun.com/exdb/mnist).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/data/byte_stream.hpp>

namespace diffsiam::data {

/// pixels[((i * height + y) * width + x) * channels + c].
/// `count` pictures of `height` times `width` pixels; `channels` values a pixel; `pixels` are these values,
/// each in 0..255.
struct ImageSet {
  Index count = 0;
  Index height = 0;
  Index width = 0;
  Index channels = 1;
  std::vector<std::uint8_t> pixels{};
};

/// Limits for files that are not trusted.
struct IdxLimits {
  std::uint64_t max_bytes = std::uint64_t{1} << 30;  ///< bytes of values, decompressed
};

namespace detail {

/// Reads a file whose rank is in [least_rank, most_rank]. Memory is allocated only after the stream was seen
/// to contain exactly as much as the header says.
class IdxReader {
 public:
  IdxReader(std::filesystem::path const& path, std::string operation, int least_rank, int most_rank,
            IdxLimits const& limits)
      : operation_(std::move(operation)) {
    {
      ByteStream stream{path, operation_};
      read_header(stream, least_rank, most_rank, limits);
      // The length of gzip data is known only after reading, so the file is read twice. A zip bomb is
      // detected at the first byte too many.
      std::uint64_t const present =
          stream.compressed() ? stream.skip(bytes_ + 1) : stream.file_size() - header_bytes();
      require_length(stream, present);
    }
    ByteStream stream{path, operation_};
    if (stream.skip(header_bytes()) != header_bytes()) require_length(stream, 0);
    values_.resize(static_cast<std::size_t>(bytes_));
    require_length(stream, stream.read(std::as_writable_bytes(std::span(values_))));
  }

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] Index extent(int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  [[nodiscard]] std::vector<std::uint8_t>& values() { return values_; }

 private:
  [[nodiscard]] std::uint64_t header_bytes() const { return 4 + 4 * static_cast<std::uint64_t>(rank_); }

  void read_header(ByteStream& stream, int least_rank, int most_rank, IdxLimits const& limits) {
    std::array<std::byte, 4> magic{};
    std::size_t const got = stream.read(magic);
    if (got != magic.size())
      fail<FileError>(operation_, "the 4 magic bytes of IDX in " + stream.name(),
                      std::to_string(got) + " bytes");
    rank_ = std::to_integer<int>(magic[3]);
    bool const bytes_of_idx =
        magic[0] == std::byte{0} && magic[1] == std::byte{0} && magic[2] == std::byte{8};
    if (!bytes_of_idx || rank_ < least_rank || rank_ > most_rank)
      fail<FileError>(operation_, expected_magic(least_rank, most_rank) + " at the start of " + stream.name(),
                      shown(magic), "images have rank 3 or 4, labels rank 1");
    std::array<std::byte, 16> extents{};
    std::size_t const wanted = static_cast<std::size_t>(rank_) * 4;
    std::size_t const present = stream.read(std::span(extents).first(wanted));
    if (present != wanted)
      fail<FileError>(operation_, std::to_string(wanted) + " bytes of extents in " + stream.name(),
                      std::to_string(present) + " bytes");
    bytes_ = 1;
    for (int axis = 0; axis < rank_; ++axis) {
      std::uint64_t const extent = big_endian(std::span(extents).subspan(static_cast<std::size_t>(axis) * 4));
      if (extent == 0) fail<FileError>(operation_, "extents of at least 1 in " + stream.name(), "0");
      extents_[static_cast<std::size_t>(axis)] = static_cast<Index>(extent);
    }
    for (int axis = 0; axis < rank_; ++axis) {
      auto const extent = static_cast<std::uint64_t>(this->extent(axis));
      if (extent > limits.max_bytes / bytes_)
        fail<FileError>(
            operation_,
            "at most " + std::to_string(limits.max_bytes) + " bytes of values in " + stream.name(),
            shown_extents(), "raise IdxLimits::max_bytes if the file is really that large");
      bytes_ *= extent;
    }
  }

  void require_length(ByteStream const& stream, std::uint64_t present) const {
    if (present == bytes_) return;
    fail<FileError>(
        operation_,
        std::to_string(bytes_) + " bytes of values for " + shown_extents() + " in " + stream.name(),
        present > bytes_ && stream.compressed() ? "more" : std::to_string(present),
        present > bytes_ ? "padded, or another file?" : "truncated?");
  }

  [[nodiscard]] static std::uint64_t big_endian(std::span<std::byte const> bytes) {
    std::uint64_t value = 0;
    for (std::byte const byte : bytes.first(4)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
  }

  [[nodiscard]] static std::string expected_magic(int least_rank, int most_rank) {
    std::string text = "0 0 8 " + std::to_string(least_rank);
    return least_rank == most_rank ? text : text + " or 0 0 8 " + std::to_string(most_rank);
  }
  [[nodiscard]] static std::string shown(std::span<std::byte const> bytes) {
    std::string text;
    for (std::byte const byte : bytes) {
      if (!text.empty()) text += ' ';
      text += std::to_string(std::to_integer<int>(byte));
    }
    return text;
  }
  [[nodiscard]] std::string shown_extents() const {
    std::string text = "(";
    for (int axis = 0; axis < rank_; ++axis) {
      if (axis > 0) text += ", ";
      text += std::to_string(extent(axis));
    }
    return text + ")";
  }

  std::string operation_;
  int rank_ = 0;
  std::array<Index, 4> extents_{1, 1, 1, 1};
  std::uint64_t bytes_ = 0;
  std::vector<std::uint8_t> values_;
};

}  // namespace detail

/// Pictures of rank 3 (n, h, w) or 4 (n, h, w, c), with the values 0..255 of the file. Throws FileError,
/// which names file, expected and actual, if the file is missing, truncated, padded, corrupt, of another type
/// or larger than the limit.
[[nodiscard]] inline ImageSet read_idx_images(std::filesystem::path const& path,
                                              IdxLimits const& limits = {}) {
  detail::IdxReader reader{path, "read_idx_images", 3, 4, limits};
  return {.count = reader.extent(0),
          .height = reader.extent(1),
          .width = reader.extent(2),
          .channels = reader.extent(3),
          .pixels = std::move(reader.values())};
}

/// Labels of rank 1, each in [0, 255]. Throws FileError as read_idx_images.
[[nodiscard]] inline std::vector<int> read_idx_labels(std::filesystem::path const& path,
                                                      IdxLimits const& limits = {}) {
  detail::IdxReader reader{path, "read_idx_labels", 1, 1, limits};
  return {reader.values().begin(), reader.values().end()};
}

}  // namespace diffsiam::data
