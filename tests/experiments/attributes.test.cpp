#include <set>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>

#include <experiments/attributes.hpp>
#include <experiments/glyphs/factors.hpp>

using namespace experiments;

using Ints = std::vector<int>;

TEST_CASE("each level of a factor is an attribute, of two levels the last one", "[experiments]") {
  auto const attributes = attribute_of_each_level({"hue", "bold"}, {3, 2});
  REQUIRE(attributes.size() == 4);
  CHECK(attributes[0].name == "hue 0");
  CHECK(attributes[2].levels == Ints{2});
  CHECK(attributes[3].name == "bold 1");
  // Two samples: hue 2 and bold, hue 0 and not bold.
  CHECK(attributes_of({2, 1, 0, 0}, 2, attributes) == Ints{0, 0, 1, 1, /**/ 1, 0, 0, 0});
}

TEST_CASE("an attribute may be some levels of a factor", "[experiments]") {
  std::vector<Attribute> const large{{"large", 0, {2, 3}}};
  CHECK(attributes_of({0, 1, 2, 3}, 1, large) == Ints{0, 0, 1, 1});
}

TEST_CASE("attributes of glyphs have names of their own, and pictures with and without them",
          "[experiments]") {
  auto const attributes = glyph_attributes();
  CHECK(attributes.size() == 27);
  std::set<std::string> names;
  for (Attribute const& each : attributes) {
    CAPTURE(each.name);
    CHECK(names.insert(each.name).second);
    CHECK_FALSE(each.levels.empty());
    CHECK(each.levels.size() < static_cast<std::size_t>(glyph_levels[each.factor]));
    CHECK(std::set<int>(each.levels.begin(), each.levels.end()).size() == each.levels.size());
    for (int const level : each.levels) CHECK((level >= 0 && level < glyph_levels[each.factor]));
  }
}

TEST_CASE("the attributes of a bold red A at the upper left are these", "[experiments]") {
  auto const attributes = glyph_attributes();
  // The A, bold, upright, without serifs, of size 1, at (1, 0), red on magenta.
  auto const has = attributes_of({0, 1, 0, 0, 1, 1, 0, 0, 5}, glyph_factors, attributes);
  std::set<std::string> names;
  for (std::size_t i = 0; i < has.size(); ++i)
    if (has[i] == 1) names.insert(attributes[i].name);
  CHECK(names == std::set<std::string>{"capital", "vowel", "closed", "straight", "symmetric", "bold", "left",
                                       "up", "red ink", "magenta ground"});
}
