#include <cmath>

#include <tests/support/catch.hpp>

#include <experiments/editing/edit_table.hpp>

using namespace experiments;

namespace {

/// An edit whose figures all tell which wish and which direction it belongs to.
Manipulation edit_of(double wish, double direction, char const* name) {
  Manipulation edit{.direction = name, .strength = direction};
  edit.effect.reached = 100 * direction + wish;
  edit.effect.target = 10 * direction + wish;
  edit.effect.others = 20 * direction + wish;
  edit.effect.share = 30 * direction + wish;
  return edit;
}
WishEdits edits_of(double wish, int level) {
  return {
      .wish = {.factor = 0, .level = level},
      .edits = {edit_of(wish, 1, "all dims"), edit_of(wish, 2, "16 dims"), edit_of(wish, 3, "level means")}};
}

}  // namespace

TEST_CASE("means over wishes are taken direction by direction, of all three", "[experiments]") {
  // Five wishes of mean 3, as the shapes have.
  MethodEdits edits{.method = "diffsiam"};
  for (double const wish : {1.0, 2.0, 3.0, 4.0, 5.0}) edits.wishes.push_back(edits_of(wish, 0));
  auto const means = json_of(means_of(edits));
  REQUIRE(means.size() == 3);
  double direction = 1;
  for (char const* const name : {"all dims", "16 dims", "level means"}) {
    CAPTURE(name);
    CHECK(means.at(name).at("reached").get<double>() == Approx(100 * direction + 3));
    CHECK(means.at(name).at("target").get<double>() == Approx(10 * direction + 3));
    CHECK(means.at(name).at("others").get<double>() == Approx(20 * direction + 3));
    CHECK(means.at(name).at("share").get<double>() == Approx(30 * direction + 3));
    CHECK(means.at(name).at("ratio").get<double>() == Approx((10 * direction + 3) / (20 * direction + 3)));
    CHECK_FALSE(means.at(name).contains("to_oracle"));
    ++direction;
  }
  CHECK(means_of({.method = "none"}).empty());
}

TEST_CASE("a ratio is also told as a part of the oracle's", "[experiments]") {
  MethodEdits const edits{.method = "diffsiam", .wishes = {edits_of(0, 0)}};
  MeanEffect const oracle{.direction = "as drawn", .target = 1, .others = 0.5};
  REQUIRE(oracle.ratio() == Approx(2));
  auto const means = json_of(means_of(edits), &oracle);
  CHECK(means.at("all dims").at("ratio").get<double>() == Approx(0.5));
  CHECK(means.at("all dims").at("to_oracle").get<double>() == Approx(0.25));
  CHECK(MeanEffect{.direction = "nothing changed"}.ratio() == 0);
}

TEST_CASE("the table of edits names wish and direction of every row", "[experiments]") {
  FactorTable fashion;
  fashion.level_names = {"T-shirt", "Trouser", "Pullover", "Dress"};
  auto const rows = json_of({.method = "pdae", .wishes = {edits_of(1, 1), edits_of(2, 3)}}, fashion);
  REQUIRE(rows.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(rows[i].at("wish") == (i < 3 ? "Trouser" : "Dress"));
    CHECK(rows[i].at("direction") == (i % 3 == 0 ? "all dims" : i % 3 == 1 ? "16 dims" : "level means"));
    CHECK(rows[i].at("strength").get<double>() == static_cast<double>(i % 3 + 1));
    CHECK_FALSE(rows[i].contains("part"));
    CHECK(rows[i].at("reached").get<double>() ==
          Approx(100.0 * static_cast<double>(i % 3 + 1) + (i < 3 ? 1 : 2)));
  }
}
