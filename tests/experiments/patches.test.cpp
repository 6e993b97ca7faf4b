// The dictionary of patches.
#include <cstdint>
#include <vector>

#include <tests/support/catch.hpp>

#include <experiments/patches.hpp>

namespace ds = diffsiam;
using diffsiam::test::contains;

namespace {

constexpr int side = 12;

/// Grey pictures with stripes or a chequered pattern in one of the four quarters, and noise everywhere.
struct Quarters {
  std::vector<std::uint8_t> pixels;
  std::vector<int> labels;

  explicit Quarters(int count) {
    for (int i = 0; i < count; ++i) {
      labels.push_back(i % 8);
      for (int p = 0; p < side * side; ++p) {
        int const y = p / side, x = p % side, quarter = 2 * (y / 6) + x / 6;
        auto const noise = ds::Rng{.seed = 1, .stream = static_cast<std::uint32_t>(i)}.below(
            8, static_cast<std::uint64_t>(p));
        bool const bright = i % 8 < 4 ? y % 2 == 0 : (x + y) % 2 == 0;
        pixels.push_back(static_cast<std::uint8_t>(noise + (quarter == i % 4 && bright ? 200U : 20U)));
      }
    }
  }
  [[nodiscard]] ds::data::Dataset dataset() const {
    return ds::data::Dataset::from(pixels, {static_cast<ds::Index>(labels.size()), side, side, 1}, labels);
  }
};

}  // namespace

TEST_CASE("patches tell what stands in which quarter") {
  ds::ThreadPool one{1}, two{2};
  Quarters const some{240};
  auto const pictures = some.dataset();
  experiments::PatchDictionary const dictionary{pictures, 8, {.seed = 3}, one};
  auto const z = dictionary.features(pictures, one);
  REQUIRE(z.size() == 240 * 32);
  REQUIRE(z == dictionary.features(pictures, two));

  // Half of the pictures find the others of their kind: pattern and quarter.
  auto const half = z.size() / 2;
  std::vector<float> const train(z.begin(), z.begin() + static_cast<std::ptrdiff_t>(half)),
      test(z.begin() + static_cast<std::ptrdiff_t>(half), z.end());
  std::vector<int> const seen(some.labels.begin(), some.labels.begin() + 120),
      asked(some.labels.begin() + 120, some.labels.end());
  auto const by_k =
      ds::eval::knn({{train, 120, 32}, seen}, {{test, 120, 32}, asked}, {.k = {5}, .classes = 8}, &one);
  CHECK(by_k.front().accuracy == 1);
}

TEST_CASE("a dictionary needs pictures as large as a patch, and dims for four quarters") {
  ds::ThreadPool threads{1};
  std::vector<std::uint8_t> const pixels(5 * 5 * 2, 7);
  auto const small = ds::data::Dataset::from(pixels, {2, 5, 5, 1});
  REQUIRE_THROWS_WITH((experiments::PatchDictionary{small, 4, {}, threads}), contains("at least 6 x 6"));
  experiments::Run run{};
  run.recipe.dims = 30;
  REQUIRE_THROWS_WITH(experiments::patch_features(run), contains("a multiple of 4"));
}

TEST_CASE("features are averaged over flips where the recipe says so") {
  std::vector<std::uint8_t> const pixels{0, 255, 10, 20};
  auto const part = ds::data::Dataset::from(pixels, {2, 1, 2, 1});
  experiments::ExperimentData const data{.set = nullptr, .pictures = {part, part, part}, .factors = {}};
  experiments::Run run{.context = nullptr, .data = &data, .stage = "", .recipe = {}, .folder = {}};
  auto const units = [](ds::data::Dataset const& pictures) { return pictures.units(); };
  CHECK(experiments::feature_parts(run, 2, units).test == part.units());
  CHECK_FALSE(experiments::encoding_of(run).average_flips);
  run.recipe.average_flips = 1;
  auto const mean = experiments::feature_parts(run, 2, units);
  for (auto const* values : {&mean.train, &mean.validation, &mean.test}) {
    CHECK((*values)[0] == 0);
    CHECK((*values)[2] == (*values)[3]);
  }
  CHECK(experiments::encoding_of(run).average_flips);
}
