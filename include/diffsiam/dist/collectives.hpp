// What is made of the transfers of a communicator: gathered values, sums, and the question whether all ranks
// have the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/dist/communicator.hpp>

namespace diffsiam::dist {

/// The values of all ranks, those of rank 0 first. All ranks give the same number of values.
template <class T>
[[nodiscard]] std::vector<T> all_gather(CommunicatorRef const& ranks, std::span<T const> mine) {
  static_assert(std::is_trivially_copyable_v<T>, "Only plain values travel between ranks.");
  std::vector<T> all(mine.size() * static_cast<std::size_t>(ranks.size()));
  ranks.start_all_gather(mine.data(), all.data(), mine.size_bytes()).wait();
  return all;
}

/// Replaces `values` by the sum over all ranks, added in the order of ranks: the same bits on all of them,
/// and at every repetition. Each rank adds its share of the values.
template <class T>
void all_reduce_sum(CommunicatorRef const& ranks, std::span<T> values) {
  static_assert(std::is_arithmetic_v<T>, "Sums are of numbers.");
  auto const size = static_cast<std::size_t>(ranks.size());
  std::size_t const share = (values.size() + size - 1) / size;
  std::vector<T> sent(share * size), received(share * size);
  std::copy(values.begin(), values.end(), sent.begin());
  ranks.start_all_to_all(sent.data(), received.data(), share * sizeof(T)).wait();
  for (std::size_t rank = 1; rank < size; ++rank)
    for (std::size_t i = 0; i < share; ++i) received[i] += received[rank * share + i];
  ranks.start_all_gather(received.data(), sent.data(), share * sizeof(T)).wait();
  std::copy_n(sent.begin(), values.size(), values.begin());
}

/// The texts of all ranks, which may differ in length.
[[nodiscard]] inline std::vector<std::string> all_gather_text(CommunicatorRef const& ranks,
                                                              std::string_view mine) {
  std::uint64_t const length = mine.size();
  auto const lengths = all_gather<std::uint64_t>(ranks, {&length, 1});
  std::string padded{mine};
  padded.resize(*std::max_element(lengths.begin(), lengths.end()));
  auto const all = all_gather<char>(ranks, padded);
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < lengths.size(); ++rank)
    texts.emplace_back(all.data() + rank * padded.size(), static_cast<std::size_t>(lengths[rank]));
  return texts;
}

/// Throws ConfigError on all ranks, which names `what` and the first rank that differs from rank 0, unless
/// all ranks give the same text. Where both texts have lines, the first line that differs is shown.
inline void require_same(CommunicatorRef const& ranks, std::string_view what, std::string_view mine) {
  auto const texts = all_gather_text(ranks, mine);
  auto const other =
      std::find_if(texts.begin(), texts.end(), [&](auto const& text) { return text != texts[0]; });
  if (other == texts.end()) return;
  auto const first_difference = [&](std::string_view text, std::string_view beside) {
    std::size_t const most = std::min(text.size(), beside.size());
    std::size_t at = 0;
    while (at < most && text[at] == beside[at]) ++at;
    std::size_t const before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    std::size_t const begin = before == std::string_view::npos ? 0 : before + 1;
    return "'" + std::string(text.substr(begin, text.find('\n', at) - begin).substr(0, 200)) + "'";
  };
  fail<ConfigError>(
      "dist", {"the same ", what, " on all ranks, ", first_difference(texts[0], *other), " as on rank 0"},
      {first_difference(*other, texts[0]), " on rank ", other - texts.begin()},
      "start all ranks with the same program, options and files");
}

}  // namespace diffsiam::dist
