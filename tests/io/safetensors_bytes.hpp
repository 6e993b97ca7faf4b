// Safetensors files written by hand, byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace diffsiam::test {

/// A file with this JSON and this many bytes of data, all zero; `promised` replaces the length of the JSON.
[[nodiscard]] inline std::vector<std::byte> file_of(std::string const& json, std::size_t data_size,
                                                    std::uint64_t promised = 0) {
  if (promised == 0) promised = json.size();
  std::vector<std::byte> bytes(8 + json.size() + data_size);
  std::memcpy(bytes.data(), &promised, 8);
  std::memcpy(bytes.data() + 8, json.data(), json.size());
  return bytes;
}

/// One tensor of a header.
[[nodiscard]] inline std::string entry(std::string const& name, std::string const& dtype,
                                       std::string const& shape, std::string const& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

}  // namespace diffsiam::test
