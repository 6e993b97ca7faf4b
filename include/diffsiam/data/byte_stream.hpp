// ByteStream: a file as a stream of bytes, plain or gzip (RFC 1952, by zlib). The first two bytes of the file
// tell which of the two it is, not its name.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <zlib.h>

#include <diffsiam/core/error.hpp>
#include <diffsiam/io/file.hpp>

namespace diffsiam::data {

/// Reads forward, in constant memory. For gzip the checksums and lengths of all members are checked, and data
/// after the last member are an error.
class ByteStream {
 public:
  /// Throws FileError if the file is missing or is not a regular file.
  ByteStream(std::filesystem::path path, std::string operation)
      : path_(std::move(path)), operation_(std::move(operation)), file_(path_, operation_) {
    left_ = file_.size();
    refill();
    compressed_ = input_.size() >= 2 && input_[0] == std::byte{0x1f} && input_[1] == std::byte{0x8b};
    if (compressed_) inflater_ = std::make_unique<Inflater>();
  }

  /// Whether the file is gzip.
  [[nodiscard]] bool compressed() const { return compressed_; }
  /// Size of the file on the disk, in bytes.
  [[nodiscard]] std::uint64_t file_size() const { return file_.size(); }
  /// "'/data/train.gz' (decompressed)", for messages.
  [[nodiscard]] std::string name() const {
    return io::detail::quoted(path_) + (compressed_ ? " (decompressed)" : "");
  }

  /// Fills `bytes` as far as the stream goes, and returns the number of bytes. Throws FileError for corrupt
  /// gzip.
  [[nodiscard]] std::size_t read(std::span<std::byte> bytes) {
    return compressed_ ? read_gzip(bytes) : read_plain(bytes);
  }

  /// Skips at most `limit` bytes and returns how many there were.
  [[nodiscard]] std::uint64_t skip(std::uint64_t limit) {
    std::array<std::byte, chunk> ignored;
    std::uint64_t done = 0;
    while (done < limit) {
      std::uint64_t const wanted = std::min<std::uint64_t>(ignored.size(), limit - done);
      std::size_t const got = read(std::span(ignored).first(static_cast<std::size_t>(wanted)));
      done += got;
      if (got < wanted) break;
    }
    return done;
  }

 private:
  static constexpr std::size_t chunk = std::size_t{1} << 16;

  struct Inflater {
    z_stream stream{};

    Inflater() {
      constexpr int gzip_only = 16 + MAX_WBITS;
      if (inflateInit2(&stream, gzip_only) != Z_OK) throw FileError("inflate: zlib could not be started");
    }
    Inflater(Inflater const&) = delete;
    Inflater& operator=(Inflater const&) = delete;
    ~Inflater() { inflateEnd(&stream); }
  };

  /// Reads the next chunk of the file; it is empty at the end.
  void refill() {
    if (buffer_ == nullptr) buffer_ = std::make_unique<std::array<std::byte, chunk>>();
    input_ = std::span(*buffer_).first(static_cast<std::size_t>(std::min<std::uint64_t>(chunk, left_)));
    file_.read(input_);
    left_ -= input_.size();
  }

  std::size_t read_plain(std::span<std::byte> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      if (input_.empty()) refill();
      if (input_.empty()) break;
      std::size_t const count = std::min(bytes.size() - done, input_.size());
      std::copy_n(input_.begin(), count, bytes.begin() + static_cast<std::ptrdiff_t>(done));
      input_ = input_.subspan(count);
      done += count;
    }
    return done;
  }

  std::size_t read_gzip(std::span<std::byte> bytes) {
    std::size_t done = 0;
    while (done < bytes.size() && !finished_) {
      if (input_.empty()) refill();
      z_stream& stream = inflater_->stream;
      std::size_t const room = std::min(bytes.size() - done, std::size_t{1} << 30);
      stream.next_in = reinterpret_cast<Bytef*>(input_.data());
      stream.avail_in = static_cast<uInt>(input_.size());
      stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + done);
      stream.avail_out = static_cast<uInt>(room);
      int const status = inflate(&stream, Z_NO_FLUSH);
      input_ = input_.last(stream.avail_in);
      done += room - stream.avail_out;
      if (status == Z_STREAM_END) {
        next_member();
      } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_out != 0 && at_end())) {
        corrupt("the end of the file inside the compressed data");
      } else if (status != Z_OK) {
        corrupt(stream.msg != nullptr ? stream.msg : "zlib error " + std::to_string(status));
      }
    }
    return done;
  }

  [[nodiscard]] bool at_end() const { return input_.empty() && left_ == 0; }

  void next_member() {
    if (at_end()) {
      finished_ = true;
    } else if (inflateReset(&inflater_->stream) != Z_OK) {
      corrupt("a stream that zlib cannot continue");
    }
  }

  [[noreturn]] void corrupt(std::string_view reason) const {
    fail<FileError>(operation_, io::detail::quoted(path_) + " to be intact gzip", reason);
  }

  std::filesystem::path path_;
  std::string operation_;
  io::InputFile file_;
  std::unique_ptr<std::array<std::byte, chunk>> buffer_;
  std::unique_ptr<Inflater> inflater_;
  std::span<std::byte> input_;
  std::uint64_t left_ = 0;
  bool compressed_ = false;
  bool finished_ = false;
};

}  // namespace diffsiam::data
