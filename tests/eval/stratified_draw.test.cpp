#include <limits>
#include <set>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/eval/stratified_draw.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::contains;

namespace {

/// Four samples of class 0, three of class 7, one of class 2.
std::vector<int> const eight_labels{0, 7, 0, 2, 7, 0, 0, 7};

/// How many of class 0, 7 and 2 are drawn.
std::vector<Index> drawn_by_class(double share) {
  std::vector<Index> counts(3);
  for (Index const i : stratified_draw(eight_labels, share, {.seed = 1})) {
    int const label = eight_labels[static_cast<std::size_t>(i)];
    ++counts[label == 0 ? 0 : label == 7 ? 1 : 2];
  }
  return counts;
}

}  // namespace

TEST_CASE("a stratified draw takes its share of each class, and one sample at least") {
  CHECK(drawn_by_class(1) == std::vector<Index>{4, 3, 1});
  CHECK(drawn_by_class(0.5) == std::vector<Index>{2, 2, 1});    // 2, 1.5 and .5 are rounded up
  CHECK(drawn_by_class(0.4) == std::vector<Index>{2, 1, 1});    // 1.6, 1.2, .4
  CHECK(drawn_by_class(0.001) == std::vector<Index>{1, 1, 1});  // none is left out
}

TEST_CASE("a stratified draw of everything is everything, in order") {
  CHECK(stratified_draw(eight_labels, 1, {.seed = 3}) == std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("stratified draws differ by stream, repeat by it, and reach every sample") {
  std::vector<int> const labels(100, 4);
  auto const draw = [&](std::uint32_t stream) {
    return stratified_draw(labels, 0.1, {.seed = 5, .stream = stream});
  };
  CHECK(draw(0) == draw(0));
  CHECK(draw(0) != draw(1));
  std::set<Index> reached;
  for (std::uint32_t stream = 0; stream < 100; ++stream)
    for (Index const i : draw(stream)) reached.insert(i);
  CHECK(reached.size() == 100);  // one is missed with a probability of 100 times .9^100, .003
}

TEST_CASE("a stratified draw refuses no labels and shares out of range") {
  REQUIRE_THROWS_AS(stratified_draw({}, 0.5, {}), ShapeError);
  for (double const share : {0.0, -0.1, 1.01, std::numeric_limits<double>::quiet_NaN()})
    REQUIRE_THROWS_WITH(stratified_draw(eight_labels, share, {}),
                        contains("stratified_draw") && contains("a share in (0, 1]"));
}
