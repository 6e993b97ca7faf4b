// fingerprint: tells whether memory still holds what it held, about as fast as memory is read.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/thread_pool.hpp>

namespace diffsiam::backend {

/// Of the same number of bytes: one changed word of 8 bytes always changes it, and more go unseen with a
/// chance of 2^-64 each time. It guards against mistakes, not against an enemy.
using Fingerprint = std::uint64_t;

namespace detail {

/// Eight words that are mixed side by side.
using Words = std::uint64_t __attribute__((vector_size(64)));

/// Jenkins' one-at-a-time step, widened: for a given word a bijection of the state, and the other way round.
template <class W>
void mix(W& state, W const& word) {
  state += word;
  state += state << 21;
  state ^= state >> 13;
}

[[nodiscard]] inline Fingerprint fingerprint_of_piece(std::byte const* at, std::size_t bytes) {
  constexpr std::size_t width = sizeof(Words), chains = 4;  // one chain would wait for itself
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

/// Of `bytes` bytes, the same for any number of threads.
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
