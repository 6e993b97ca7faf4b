#include <set>
#include <string>
#include <string_view>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <experiments/data_sets.hpp>
#include <experiments/methods.hpp>

using namespace experiments;
using diffsiam::ConfigError;
using diffsiam::test::contains;
using diffsiam::test::message_of;

TEST_CASE("every method has a name and a title of its own, and one is the ceiling", "[experiments]") {
  std::set<std::string_view> names, titles;
  int ceilings = 0;
  for (Method const& method : methods) {
    CHECK(names.insert(method.name).second);
    CHECK(titles.insert(method.title).second);
    ceilings += method.ceiling() ? 1 : 0;
  }
  CHECK(ceilings == 1);
}

TEST_CASE("every data set has a name of its own, and a recipe that its pictures suffice for",
          "[experiments]") {
  std::set<std::string_view> names;
  for (DataSet const& set : data_sets) {
    CHECK(names.insert(set.name).second);
    CHECK(recipe_for(set).siamese_batch <= set.parts.train);
    CHECK_FALSE(set.wishes.empty());
  }
}

TEST_CASE("a method changes the recipe of the data set in its own part", "[experiments]") {
  Recipe const base = recipe_for(data_set("shapes"));
  CHECK(base.siamese_weight == 0.01);
  Recipe const pdae = recipe_of(named(methods, "--method", "pdae"), base);
  CHECK(pdae.subsets == 1);
  CHECK(pdae.siamese == Siamese::none);
  CHECK(pdae.steps == base.steps);
  CHECK(recipe_of(named(methods, "--method", "nt_xent_neighbours"), base).neighbours == 5);
  Recipe const vicreg = recipe_of(named(methods, "--method", "vicreg"), base);
  CHECK(vicreg.siamese == Siamese::vicreg);
  CHECK_FALSE(vicreg.diffusion);
  Recipe const joined = recipe_of(named(methods, "--method", "wide_joined"), base);
  CHECK(joined.dims + joined.activations == 512);
  CHECK(joined.neighbours == 5);
  CHECK(recipe_of(named(methods, "--method", "wide_pca"), base).dims == 512);
  // What the command line says of neighbours stands.
  Recipe three = base;
  three.neighbours = 3;
  CHECK(recipe_of(named(methods, "--method", "diffsiam_neighbours"), three).neighbours == 3);
}

TEST_CASE("without a weight there is no siamese half", "[experiments]") {
  Recipe base;
  base.siamese_weight = 0;
  CHECK(recipe_of(named(methods, "--method", "diffsiam"), base).siamese == Siamese::none);
  CHECK(recipe_of(named(methods, "--method", "nt_xent"), base).siamese == Siamese::nt_xent);
}

TEST_CASE("an unknown name is refused with the list of those that are known", "[experiments]") {
  CHECK(message_of<ConfigError>([] { (void)data_set("mnist"); }) ==
        "--data: expected one of fashion, shapes, glyphs, got mnist");
  std::string const message = message_of<ConfigError>([] { (void)named(methods, "--method", "diffsim"); });
  CHECK(message.starts_with("--method: expected one of diffsiam, "));
  CHECK(contains(message, "supervised, got diffsim"));
}
