#include <map>
#include <string>
#include <utility>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/dist/piece_tree.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using dist::PieceRange;
using dist::PieceTree;

namespace {

/// The sum as a formula, from what each rank contributes.
std::string formula(int pieces, int ranks) {
  PieceTree const tree{pieces, ranks};
  std::map<std::pair<int, int>, std::string> known;
  for (int rank = 0; rank < ranks; ++rank) {
    // As a rank adds them: piece after piece, joined as soon as two are halves of one.
    std::vector<std::pair<PieceRange, std::string>> sums;
    auto const own = tree.pieces_of(rank);
    for (int piece = own.begin; piece < own.end; ++piece) {
      sums.push_back({{piece, piece + 1}, std::to_string(piece)});
      while (sums.size() > 1 && tree.joins(sums[sums.size() - 2].first, sums.back().first)) {
        auto& [range, sum] = sums[sums.size() - 2];
        sum = "(" + sum + "+" + sums.back().second + ")";
        range.end = sums.back().first.end;
        sums.pop_back();
      }
    }
    std::vector<PieceRange> ranges;
    for (auto const& [range, sum] : sums) {
      ranges.push_back(range);
      known[{range.begin, range.end}] = sum;
    }
    CHECK(ranges == tree.subtrees_of(rank));
    CHECK(static_cast<int>(ranges.size()) <= tree.most_subtrees());
  }
  auto const lookup = [&](PieceRange const& range, std::string& sum) {
    auto const found = known.find({range.begin, range.end});
    if (found != known.end()) sum = found->second;
    return found != known.end();
  };
  return PieceTree::sum<std::string>({0, pieces}, lookup, [](std::string const& a, std::string const& b) {
    return "(" + a + "+" + b + ")";
  });
}

}  // namespace

TEST_CASE("The sum is the same for any number of ranks", "[dist]") {
  CHECK(formula(4, 1) == "((0+1)+(2+3))");
  CHECK(formula(6, 1) == "(((0+1)+(2+3))+(4+5))");
  CHECK(formula(7, 1) == "(((0+1)+(2+3))+((4+5)+6))");
  for (int pieces = 1; pieces <= 12; ++pieces)
    for (int ranks = 1; ranks <= pieces; ++ranks) {
      INFO(pieces << " pieces on " << ranks << " ranks");
      CHECK(formula(pieces, ranks) == formula(pieces, 1));
    }
}

TEST_CASE("Powers of two give each rank one subtree", "[dist]") {
  PieceTree const tree{8, 4};
  CHECK(tree.most_subtrees() == 1);
  CHECK(tree.most_pieces() == 2);
  CHECK(tree.pieces_of(3) == PieceRange{6, 8});
  CHECK(PieceTree{6, 2}.subtrees_of(0) == std::vector<PieceRange>{{0, 2}, {2, 3}});
}

TEST_CASE("Each rank has a piece", "[dist]") {
  CHECK_THROWS_WITH((PieceTree{2, 3}),
                    contains("at least one piece of a batch for each of 3 ranks, got 2 pieces"));
}
