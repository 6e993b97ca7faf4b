#include <string>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/feature_set.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using eval::FeatureSet;

TEST_CASE("What does not fit together in a set of features is refused", "[eval][feature_set]") {
  FeatureSet const good{.values = {1, 2, 3, 4, 5, 6},
                        .count = 2,
                        .dims = 3,
                        .names = {"a", "b"},
                        .labels = {0, 1},
                        .class_names = {"cat", "dog"},
                        .subsets = {{0, {0, 1}}, {2, {3, 5}}}};
  eval::require_feature_set("f", good);
  eval::require_feature_set("f", {.values = {1}, .count = 1, .dims = 1});
  CHECK(good.features().row(1)[0] == 4);
  CHECK(good.labelled().labels[1] == 1);

  auto const refused = [&](auto change, auto const& words) {
    FeatureSet set = good;
    change(set);
    CHECK_THROWS_WITH(eval::require_feature_set("f", set), words);
    CHECK_THROWS_AS(eval::require_feature_set<FileError>("f", set), FileError);
  };
  refused([](auto& s) { s.values.pop_back(); }, contains("5 values for (2, 3)"));
  refused([](auto& s) { s.count = 0; }, contains("(0, 3)"));
  refused([](auto& s) { s.dims = -3; }, contains("(2, -3)"));
  refused([](auto& s) { s.names.pop_back(); }, contains("2 names") && contains("got 1"));
  refused([](auto& s) { s.labels.push_back(0); }, contains("2 labels") && contains("got 3"));
  refused([](auto& s) { s.labels[1] = 2; }, contains("labels of the 2 classes, got 2"));
  refused([](auto& s) { s.labels[1] = -1; }, contains("got -1"));
  refused(
      [](auto& s) {
        s.class_names.clear();
        s.labels[0] = -7;
      },
      contains("labels of at least 0, got -7"));
  refused([](auto& s) { s.names[0] = std::string("a\0b", 3); }, contains("byte of zero"));
  refused([](auto& s) { s.subsets[1].dims.end = 6; }, contains("3 columns in all, got 4"));
  refused([](auto& s) { s.subsets[1].subset = 0; }, contains("ascend"));
  refused([](auto& s) { s.subsets[0].dims = {1, 1}; }, contains("subset 0 of [1, 1)"));
}
