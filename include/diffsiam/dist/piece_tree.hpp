// PieceTree: the order in which what the pieces of a batch contribute is added. It is a binary tree over the
// pieces, whose shape depends on their number alone, so the sum has the same bits for any number of ranks.
// Each rank holds neighbouring pieces, adds up the whole subtrees among them, and contributes those sums.
#pragma once

#include <algorithm>
#include <vector>

#include <diffsiam/core/error.hpp>

namespace diffsiam::dist {

/// Pieces [begin, end).
struct PieceRange {
  /// Pieces are numbered from 0.
  int begin = 0, end = 0;

  /// The number of pieces.
  [[nodiscard]] int size() const { return end - begin; }
  [[nodiscard]] bool operator==(PieceRange const&) const = default;
};

/// The tree splits n pieces at the largest power of two below n: its nodes are [j s, min((j + 1) s, pieces)),
/// with s a power of two. With powers of two, of pieces and of ranks,
/// each rank holds a single subtree.
class PieceTree {
 public:
  /// Throws ConfigError unless there are as many pieces as ranks, or more.
  PieceTree(int pieces, int ranks) : pieces_(pieces), ranks_(ranks) {
    if (ranks < 1 || pieces < ranks)
      fail<ConfigError>("PieceTree", {"at least one piece of a batch for each of ", ranks, " ranks"},
                        {pieces, " pieces"}, "give pieces a larger number, best a power of two");
    for (int rank = 0; rank < ranks; ++rank)
      most_subtrees_ = std::max(most_subtrees_, static_cast<int>(subtrees_of(rank).size()));
  }

  /// The number of pieces of a batch.
  [[nodiscard]] int pieces() const { return pieces_; }
  /// The number of ranks, at most pieces().
  [[nodiscard]] int ranks() const { return ranks_; }
  /// The pieces of a rank.
  [[nodiscard]] PieceRange pieces_of(int rank) const {
    return {pieces_ * rank / ranks_, pieces_ * (rank + 1) / ranks_};
  }
  /// The largest number of pieces that a rank holds.
  [[nodiscard]] int most_pieces() const { return (pieces_ + ranks_ - 1) / ranks_; }
  /// The largest subtrees of pieces that a rank holds all of, from left to right.
  [[nodiscard]] std::vector<PieceRange> subtrees_of(int rank) const {
    std::vector<PieceRange> result;
    collect({0, pieces_}, pieces_of(rank), result);
    return result;
  }
  /// The largest number of subtrees that a rank holds.
  [[nodiscard]] int most_subtrees() const { return most_subtrees_; }

  /// Whether two neighbouring subtrees are the two halves of one.
  [[nodiscard]] bool joins(PieceRange const& left, PieceRange const& right) const {
    int const size = left.size();
    return (size & (size - 1)) == 0 && left.begin % (2 * size) == 0 && right.begin == left.end &&
           right.end == std::min(left.begin + 2 * size, pieces_);
  }

  /// The sum over a subtree. `known(range, sum)` returns true, and the sum, if that of this range is there;
  /// ranges that no rank adds up alone are added here: add(left, right) returns left plus right.
  template <class Sum, class Known, class Add>
  static Sum sum(PieceRange const& range, Known const& known, Add const& add) {
    if (Sum found{}; known(range, found)) return found;
    int const middle = split(range);
    Sum const left = sum<Sum>({range.begin, middle}, known, add);
    return add(left, sum<Sum>({middle, range.end}, known, add));
  }
  /// Where a range of two pieces or more is divided.
  [[nodiscard]] static int split(PieceRange const& range) {
    int left = 1;
    while (2 * left < range.size()) left *= 2;
    return range.begin + left;
  }

 private:
  static void collect(PieceRange const& node, PieceRange const& held, std::vector<PieceRange>& result) {
    if (node.end <= held.begin || held.end <= node.begin) return;
    if (held.begin <= node.begin && node.end <= held.end) return result.push_back(node);
    int const middle = split(node);
    collect({node.begin, middle}, held, result);
    collect({middle, node.end}, held, result);
  }

  int pieces_, ranks_, most_subtrees_ = 0;
};

}  // namespace diffsiam::dist
