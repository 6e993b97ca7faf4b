#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/train/config_difference.hpp>

#include <experiments/recipe.hpp>
#include <experiments/settings.hpp>

using namespace experiments;

namespace {

/// What a program would know after this command line.
nlohmann::ordered_json given(std::vector<std::string> arguments) {
  Recipe recipe;
  CLI::App app{"A test.", "test"};
  add_setting_options(app, recipe);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  app.parse(reversed);
  return given_settings(app, recipe);
}

}  // namespace

TEST_CASE("a setting goes from the command line through JSON to another recipe", "[experiments]") {
  auto const json = given({"--siamese-batch", "16", "--rate", "0.25", "--blur", "0.5"});
  CHECK(json.dump() == R"({"siamese_batch":16,"rate":0.25,"blur":0.5})");
  Recipe recipe;
  recipe.steps = 7;
  take_settings(recipe, nlohmann::ordered_json::parse(json.dump()));
  CHECK(recipe.siamese_batch == 16);
  CHECK(recipe.rate == 0.25);
  CHECK(recipe.views.blur.probability == 0.5F);
  CHECK(recipe.steps == 7);  // what was not given stays
}

TEST_CASE("settings from a file are checked, and named with the file", "[experiments]") {
  Recipe recipe;
  auto const take = [&](char const* text) {
    take_checked_settings(recipe, nlohmann::ordered_json::parse(text), "mine.json");
  };
  take(R"({"steps": 7, "rate": 1})");
  CHECK(recipe.steps == 7);
  CHECK(recipe.rate == 1);
  REQUIRE_THROWS_WITH(take(R"({"stepps": 7})"),
                      diffsiam::test::contains("mine.json") && diffsiam::test::contains("\"stepps\""));
  REQUIRE_THROWS_WITH(take(R"({"steps": 0})"), diffsiam::test::contains("a whole number in [1, "));
  REQUIRE_THROWS_WITH(take(R"({"steps": 1.5})"), diffsiam::test::contains("got 1.5"));
  REQUIRE_THROWS_WITH(take(R"({"rate": "high"})"), diffsiam::test::contains("\"rate\" to be a number"));
}

TEST_CASE("the same settings compare equal, and another one is named", "[experiments]") {
  Recipe const first;
  Recipe second;
  take_settings(second, json_of_settings(first));
  auto const difference = [&] {
    return diffsiam::train::config_difference(json_of_settings(first).dump(),
                                              json_of_settings(second).dump());
  };
  CHECK_FALSE(difference());
  second.temperature = 0.25;
  REQUIRE(difference());
  CHECK(difference()->key == "temperature");
}

TEST_CASE("every setting has an option of its own name and is kept in JSON", "[experiments]") {
  Recipe recipe;
  CLI::App app{"A test.", "test"};
  add_setting_options(app, recipe);
  auto const json = json_of_settings(recipe);
  REQUIRE_FALSE(json.empty());
  for (auto const& item : json.items()) CHECK(app.get_option_no_throw(option_of(item.key())) != nullptr);
  CHECK_THROWS_AS(given({"--batch", "0"}), CLI::ParseError);
  CHECK_THROWS_AS(given({"--rate", "nan"}), CLI::ParseError);
}
