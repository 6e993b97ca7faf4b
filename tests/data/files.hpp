// IDX files made by hand, and gzip around them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <zlib.h>

#include <diffsiam/io/file.hpp>

namespace diffsiam::test {

using Bytes = std::vector<std::uint8_t>;

inline void write_bytes(std::filesystem::path const& path, Bytes const& bytes) {
  io::write_file(path, std::as_bytes(std::span(bytes)));
}

/// Magic and extents, then the values.
[[nodiscard]] inline Bytes idx_bytes(std::vector<std::uint32_t> const& extents, Bytes const& values,
                                     std::uint8_t type = 8) {
  Bytes bytes{0, 0, type, static_cast<std::uint8_t>(extents.size())};
  for (std::uint32_t const extent : extents)
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(extent >> shift & 255));
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

[[nodiscard]] inline Bytes gzip(Bytes const& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  Bytes packed(deflateBound(&stream, static_cast<uLong>(bytes.size())) + 32);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  int const status = deflate(&stream, Z_FINISH);
  packed.erase(packed.end() - static_cast<std::ptrdiff_t>(stream.avail_out), packed.end());
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate");
  return packed;
}

/// 0, 1, 2, ... modulo 251.
[[nodiscard]] inline Bytes counting(std::size_t count) {
  Bytes values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>(i % 251);
  return values;
}

}  // namespace diffsiam::test
