// A mutator for safetensors: most mutations change the header or the data alone and keep the first 8 bytes,
// the length of the header, honest. Otherwise nearly all inputs would end there.
#pragma once

#include <algorithm>
#include <cstring>

#include <tests/fuzz/fuzz.hpp>

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  std::uint64_t header = 0;
  if (seed % 8 == 0 || size < sizeof header) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(&header, data, sizeof header);
  header = std::min<std::uint64_t>(header, size - sizeof header);
  std::size_t const begin = sizeof header + static_cast<std::size_t>(header);
  if (seed % 8 == 1) return begin + LLVMFuzzerMutate(data + begin, size - begin, most - begin);
  diffsiam::fuzz::Bytes const rest(data + begin, data + size);
  if (most < sizeof header + rest.size() + 1) return LLVMFuzzerMutate(data, size, most);
  header = LLVMFuzzerMutate(data + sizeof header, static_cast<std::size_t>(header),
                            most - sizeof header - rest.size());
  std::memcpy(data, &header, sizeof header);
  std::copy(rest.begin(), rest.end(), data + sizeof header + header);
  return sizeof header + static_cast<std::size_t>(header) + rest.size();
}
