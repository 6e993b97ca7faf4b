// fingerprint: a hash that tells whether memory has changed, about as fast as memory is read.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/thread_pool.hpp>

namespace diffsiam::backend {

/// A hash of a number of bytes. One changed word of 8 bytes always changes it; other changes stay unnoticed
/// with a probability of 2^-64. It protects against mistakes, not against attacks.
using Fingerprint = std::uint64_t;

namespace detail {

/// Eight words that are hashed side by side.
using Words = std::uint64_t __attribute__((vector_size(64)));

/// A step of Jenkins' one-at-a-time hash, with 64 bits. It is a bijection of the state for a given word, and
/// of the word for a given state.
template <class W>
void mix(W& state, W const& word) {
  state += word;
  state += state << 21;
  state ^= state >> 13;
}

[[nodiscard]] inline Fingerprint fingerprint_of_piece(std::byte const* at, std::size_t bytes) {
  constexpr std::size_t width = sizeof(Words), chains = 4;  // a single chain would wait for itself
  Words states[chains] = {{1}, {2}, {3}, {4}};
  for (; bytes >= chains * width; at += chains * width, bytes -= chains * width)
    for (std::size_t chain = 0; chain < chains; ++chain) {
      Words words;
      std::memcpy(&words, at + chain * width, width);
      mix(states[chain], words);
    }
  for (; bytes > 0; at += std::min(bytes, width), bytes -= std::min(bytes, width)) {
    Words words{};
    std::memcpy(&words, at, std::min(bytes, width));
    mix(states[0], words);
  }
  Fingerprint result = 0;
  for (Words const& state : states)
    for (std::size_t i = 0; i < width / sizeof(std::uint64_t); ++i) mix(result, std::uint64_t{state[i]});
  return result;
}

}  // namespace detail

/// The fingerprint of `bytes` bytes. It is the same for any number of threads.
[[nodiscard]] inline Fingerprint fingerprint(ThreadPool& threads, void const* data, std::size_t bytes) {
  constexpr std::size_t least = std::size_t{1} << 16, most_pieces = 64;
  std::size_t const pieces = std::clamp<std::size_t>(bytes / least, 1, most_pieces);
  std::size_t const each = (bytes + pieces - 1) / pieces;
  std::array<Fingerprint, most_pieces> parts{};
  threads.run(static_cast<Index>(pieces), [&](Index piece, int) {
    std::size_t const first = std::min(static_cast<std::size_t>(piece) * each, bytes);
    parts[static_cast<std::size_t>(piece)] = detail::fingerprint_of_piece(
        static_cast<std::byte const*>(data) + first, std::min(each, bytes - first));
  });
  Fingerprint result = 0;
  for (std::size_t piece = 0; piece < pieces; ++piece) detail::mix(result, parts[piece]);
  return result;
}

}  // namespace diffsiam::backend
