// Files of features: those of Python, and what is read is what was written.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/io/scratch.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/feature_files.hpp>

using namespace diffsiam;
using diffsiam::test::contains;
using diffsiam::test::Scratch;
using eval::FeatureSet;
using eval::read_features;
using eval::write_features;

namespace {

std::filesystem::path const of_python = std::filesystem::path{DIFFSIAM_TEST_DATA} / "../eval/files";

/// The set that Python wrote.
FeatureSet small_set() {
  return {.values = {0.5F, -1, 2, 3, 4, 5, 6, 7.25F, -8, 0, 1e-3F, 9},
          .count = 3,
          .dims = 4,
          .names = {"b/one.jpg", "a/zwei \u00e4.png", "three"},
          .labels = {1, 0, 1},
          .class_names = {"cat", "dog"},
          .subsets = {{0, {0, 1}}, {3, {5, 8}}}};
}

}  // namespace

TEST_CASE("Features that Python wrote are read", "[eval][feature_files]") {
  CHECK(read_features(of_python / "features.safetensors") == small_set());
  FeatureSet expected = small_set();
  expected.subsets.clear();
  expected.class_names.clear();
  CHECK(read_features(of_python / "features.npy") == expected);
}

TEST_CASE("What is written is read, with all that belongs to it or with features alone",
          "[eval][feature_files]") {
  Scratch const scratch;
  FeatureSet set = small_set();
  FeatureSet const alone{.values = set.values, .count = 2, .dims = 6};
  for (FeatureSet const& each : {set, alone}) {
    write_features(scratch / "z.safetensors", each);
    CHECK(read_features(scratch / "z.safetensors") == each);
  }
  set.subsets.clear();  // which .npy does not hold
  write_features(scratch / "my.z.npy", set);
  CHECK(read_features(scratch / "my.z.npy") == set);
  CHECK(test::read_text(scratch / "my.z.names.txt") == "b/one.jpg\na/zwei \u00e4.png\nthree\n");
  CHECK(test::read_text(scratch / "my.z.classes.txt") == "cat\ndog\n");
  CHECK(io::file_exists(scratch / "my.z.labels.npy"));
  // Names and labels of the features before do not stay beside those that have none.
  write_features(scratch / "my.z.npy", alone);
  CHECK(read_features(scratch / "my.z.npy") == alone);
  CHECK(scratch.file_count() == 2);
}

TEST_CASE("What cannot be written as features is refused, and the old file stays", "[eval][feature_files]") {
  Scratch const scratch;
  FeatureSet set = small_set();
  write_features(scratch / "z.npy", set);
  auto const before = test::read_text(scratch / "z.npy");
  CHECK_THROWS_WITH(write_features(scratch / "z.csv", set), contains(".safetensors or .npy"));
  CHECK_THROWS_AS(read_features(scratch / "z"), ConfigError);
  set.names[0] = "two\nlines";
  CHECK_THROWS_WITH(write_features(scratch / "z.npy", set), contains("one line") && contains(".safetensors"));
  write_features(scratch / "z.safetensors", set);
  CHECK(read_features(scratch / "z.safetensors") == set);
  set.labels.pop_back();
  CHECK_THROWS_AS(write_features(scratch / "z.npy", set), ShapeError);
  CHECK_THROWS_AS(write_features(scratch / "z.safetensors", set), ShapeError);
  CHECK(test::read_text(scratch / "z.npy") == before);
  CHECK(io::file_exists(scratch / "z.names.txt"));
}

TEST_CASE("A file of features whose parts do not fit together is a FileError", "[eval][feature_files]") {
  using io::Dtype;
  Scratch const scratch;
  auto const path = scratch / "z.safetensors";
  auto const refused = [&](auto add, auto const& words, bool features = true) {
    io::SafetensorsWriter writer;
    if (features) writer.add("features", Dtype::F32, {2, 3}, std::vector<float>(6));
    add(writer);
    writer.write(path);
    CHECK_THROWS_WITH(read_features(path), words);
    CHECK_THROWS_AS(read_features(path), FileError);
  };
  using Writer = io::SafetensorsWriter;
  using Bytes = std::vector<std::uint8_t>;
  refused([](Writer&) {}, contains("a tensor 'features'"), false);
  refused([](Writer& w) { w.add("features", Dtype::F32, {6}, std::vector<float>(6)); },
          contains("(n, dims)") && contains("[6]"), false);
  refused([](Writer& w) { w.add("features", Dtype::F32, {0, 3}, std::vector<float>{}); }, contains("(0, 3)"),
          false);
  refused([](Writer& w) { w.add("labels", Dtype::I64, {3}, std::vector<int>(3)); }, contains("2 labels"));
  refused([](Writer& w) { w.add("labels", Dtype::I64, {2, 1}, std::vector<int>(2)); },
          contains("labels (n)"));
  refused(
      [](Writer& w) {
        w.add("labels", Dtype::I64, {2}, std::vector<std::int64_t>{0, std::int64_t{1} << 40});
      },
      contains("'labels'"));
  refused([](Writer& w) { w.add("names", Dtype::U8, {3}, Bytes{'a', 0, 'b'}); }, contains("byte of zero"));
  refused([](Writer& w) { w.add("names", Dtype::U8, {2}, Bytes{'a', 0}); }, contains("2 names"));
  refused([](Writer& w) { w.add("names", Dtype::I64, {2}, std::vector<int>{97, 0}); }, contains("I64"));
  refused([](Writer& w) { w.add("names", Dtype::U8, {0}, Bytes{}); }, contains("names"));
  refused([](Writer& w) { w.add("subsets", Dtype::I64, {1, 2}, std::vector<int>{0, 3}); },
          contains("(s, 3)"));
  refused([](Writer& w) { w.add("subsets", Dtype::I64, {1, 3}, std::vector<int>{0, 0, 2}); },
          contains("3 columns in all, got 2"));

  io::write_npy(scratch / "z.npy", {6}, std::vector<float>(6));
  CHECK_THROWS_WITH(read_features(scratch / "z.npy"), contains("(n, dims)"));
  io::write_npy(scratch / "z.npy", {2, 3}, std::vector<float>(6));
  io::write_npy(scratch / "z.labels.npy", {2, 1}, std::vector<std::int64_t>(2));
  CHECK_THROWS_WITH(read_features(scratch / "z.npy"), contains("z.labels.npy"));
  io::write_npy(scratch / "z.labels.npy", {2}, std::vector<std::int64_t>(2));
  io::write_file(scratch / "z.names.txt", std::string_view{"a\nb\nc\n"});
  CHECK_THROWS_WITH(read_features(scratch / "z.npy"), contains("2 names") && contains("got 3"));
}
