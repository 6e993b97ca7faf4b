#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/edit_effect.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;

namespace {

// Four pictures, factors of 2, 3 and 2 levels.
std::vector<int> const before{0, 0, 0,  //
                              0, 1, 1,  //
                              1, 2, 0,  //
                              1, 0, 1};
std::vector<int> const after{1, 0, 0,   // the first factor alone
                             1, 1, 0,   // and the third
                             1, 2, 0,   // nothing
                             0, 1, 1};  // the first and the second
std::array const factor_levels{2, 3, 2};

/// Certainty of each level.
std::vector<float> certain(std::vector<int> const& named) {
  std::vector<float> rows;
  for (std::size_t i = 0; i < named.size(); ++i)
    for (int l = 0; l < factor_levels[i % 3]; ++l) rows.push_back(l == named[i] ? 1.0F : 0.0F);
  return rows;
}

}  // namespace

TEST_CASE("The effect of an edit is the share of pictures whose level changed, factor by factor") {
  JudgedLevels const judged{before, after, 4, 3};
  EditEffect const first = edit_effect(judged, 0);
  CHECK(first.changed == std::vector<double>{0.75, 0.25, 0.25});
  CHECK(first.target == 0.75);
  CHECK(first.others == 0.5);
  CHECK(first.ratio == 1.5);
  CHECK(first.share == 0.6);
  CHECK(std::isnan(first.reached));

  EditEffect const second = edit_effect(judged, 1, std::vector<int>{0, 0, 2, 1});
  CHECK(second.ratio == 0.25);
  CHECK(second.share == 0.2);
  CHECK(second.reached == 0.75);  // a level that was right before counts too
}

TEST_CASE("An edit that changes its target alone is infinitely clean, one that changes nothing is not") {
  std::vector<int> const x{0, 1, 0, 1}, y{1, 1, 1, 1};
  EditEffect const clean = edit_effect(JudgedLevels{x, y, 2, 2}, 0);
  CHECK(clean.ratio == std::numeric_limits<double>::infinity());
  CHECK(clean.share == 1);
  EditEffect const missed = edit_effect(JudgedLevels{x, y, 2, 2}, 1);
  CHECK(missed.ratio == 0);
  CHECK(missed.share == 0);
  EditEffect const nothing = edit_effect(JudgedLevels{x, x, 2, 2}, 0);
  CHECK(nothing.ratio == 0);
  CHECK(nothing.share == 0);
  EditEffect const only = edit_effect(JudgedLevels{std::array{0}, std::array{1}, 1, 1}, 0);
  CHECK(only.share == 1);
}

TEST_CASE("Certain probabilities tell what levels tell") {
  auto const p = certain(before), q = certain(after);
  std::vector<int> const wanted{1, 1, 0, 0};
  for (Index target = 0; target < 3; ++target) {
    EditEffect const soft = edit_effect(JudgedProbabilities{p, q, 4, factor_levels}, target, wanted);
    EditEffect const hard = edit_effect(JudgedLevels{before, after, 4, 3}, target, wanted);
    CHECK(soft.changed == hard.changed);
    CHECK(soft.ratio == hard.ratio);
    CHECK(soft.share == hard.share);
    CHECK(soft.reached == hard.reached);
  }
}

TEST_CASE("Of probabilities the change is the total variation") {
  // Factor 0 (two levels) moves by .3 and .1, factor 1 (three levels) by .2 and 0.
  std::vector<float> const p{0.5F, 0.5F, 0.2F, 0.3F, 0.5F, 0.9F, 0.1F, 0, 0, 1};
  std::vector<float> const q{0.2F, 0.8F, 0.1F, 0.5F, 0.4F, 1, 0, 0, 0, 1};
  EditEffect const effect =
      edit_effect(JudgedProbabilities{p, q, 2, std::array{2, 3}}, 0, std::vector<int>{1, 0});
  CHECK(effect.target == Approx(0.2));
  CHECK(effect.others == Approx(0.1));
  CHECK(effect.ratio == Approx(2));
  CHECK(effect.reached == Approx(0.9));
}

TEST_CASE("Edits that cannot be judged are refused") {
  JudgedLevels const good{before, after, 4, 3};
  CHECK_THROWS_WITH(edit_effect(good, 3),
                    contains("edit_effect") && contains("3 factors") && contains("got 3"));
  CHECK_THROWS_AS(edit_effect(good, -1), RangeError);
  CHECK_THROWS_WITH(edit_effect(good, 0, std::vector<int>{1}), contains("each of 4") && contains("got 1"));
  CHECK_THROWS_AS(edit_effect(good, 0, std::vector<int>{1, 1, 1, -1}), RangeError);
  CHECK_THROWS_WITH(edit_effect(JudgedLevels{before, after, 3, 3}, 0),
                    contains("9 values") && contains("12 and 12"));
  CHECK_THROWS_AS(edit_effect(JudgedLevels{{}, {}, 0, 3}, 0), ShapeError);
  std::vector<int> negative = after;
  negative[5] = -2;
  CHECK_THROWS_WITH(edit_effect(JudgedLevels{before, negative, 4, 3}, 0), contains("got -2"));

  auto const p = certain(before);
  auto q = certain(after);
  auto const judge = [&](Index target = 0, std::vector<int> const& wanted = {}) {
    return edit_effect(JudgedProbabilities{p, q, 4, factor_levels}, target, wanted);
  };
  CHECK_THROWS_WITH(judge(0, {0, 1, 2, 0}), contains("[0, 2)") && contains("2 for picture 2"));
  CHECK_THROWS_WITH(edit_effect(JudgedProbabilities{p, q, 4, std::array{2, 2, 2}}, 0),
                    contains("24 values") && contains("28 and 28"));
  CHECK_THROWS_WITH(edit_effect(JudgedProbabilities{p, q, 4, std::array{2, 0, 5}}, 0),
                    contains("one level a factor"));
  CHECK_THROWS_AS(edit_effect(JudgedProbabilities{p, q, 4, {}}, 0), ShapeError);
  q[9] = 0.5F;
  CHECK_THROWS_WITH(judge(), contains("sum to 1") && contains("factor 1 of picture 1"));
  q[9] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(judge(), RangeError);
}
