#include <algorithm>
#include <cmath>

#include <tests/eval/blobs.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/knn.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Blobs;
using test::contains;

TEST_CASE("nearest neighbours are those of a plain search, in order, with any number of threads") {
  Blobs const base{2500, 6, 3, 1, 1};  // three blocks
  Blobs const queries{300, 6, 3, 1, 2};
  ThreadPool pool{3};
  Neighbours const found = nearest_neighbours(base.features(), queries.features(), 7, &pool);
  Neighbours const alone = nearest_neighbours(base.features(), queries.features(), 7);
  for (Index i = 0; i < 300; ++i) {
    float const* const q = queries.features().row(i);
    std::vector<std::pair<double, Index>> all;
    for (Index j = 0; j < 2500; ++j) {
      float const* const b = base.features().row(j);
      double qq = 0, bb = 0, qb = 0;
      for (int d = 0; d < 6; ++d) {
        qq += static_cast<double>(q[d]) * static_cast<double>(q[d]);
        bb += static_cast<double>(b[d]) * static_cast<double>(b[d]);
        qb += static_cast<double>(q[d]) * static_cast<double>(b[d]);
      }
      all.emplace_back(-qb / std::sqrt(qq * bb), j);
    }
    std::sort(all.begin(), all.end());
    for (std::size_t r = 0; r < 7; ++r) {
      REQUIRE(static_cast<double>(found.of(i)[r].similarity) == test::Approx(-all[r].first).margin(1e-6));
      REQUIRE(found.of(i)[r].index == alone.of(i)[r].index);
      REQUIRE(found.of(i)[r].similarity == alone.of(i)[r].similarity);
    }
  }
}

TEST_CASE("among equally near neighbours the lower index comes first, and zero vectors are at 0") {
  std::vector<float> const base{1, 0, 2, 0, 0, 0, 3, 0, 0, 1};
  std::vector<float> const query{5, 0};
  Neighbours const found = nearest_neighbours({base, 5, 2}, {query, 1, 2}, 4);
  std::vector<Index> order;
  for (Neighbour const& n : found.of(0)) order.push_back(n.index);
  REQUIRE(order == std::vector<Index>{0, 1, 3, 2});
  REQUIRE(found.of(0)[3].similarity == 0);
  Neighbours const two = nearest_neighbours({base, 5, 2}, {query, 1, 2}, 2);
  REQUIRE(two.of(0)[1].index == 1);
}

TEST_CASE("votes are weighted by similarity or equal, and ties go to the nearest") {
  std::vector<int> const labels{0, 1, 1, 2};
  std::vector<Neighbour> const near{{0, 0.9F}, {1, 0.2F}, {2, 0.1F}, {3, 0.0F}};
  std::vector<double> votes(3);
  REQUIRE(vote(near, labels, {.vote = Vote::weighted}, votes) == 0);
  REQUIRE(vote(near, labels, {.vote = Vote::majority}, votes) == 1);
  REQUIRE(vote(near, labels, {.vote = Vote::weighted, .temperature = 10}, votes) == 1);
  REQUIRE(vote(near, labels, {.vote = Vote::weighted, .temperature = 1e-9}, votes) == 0);
  REQUIRE(vote(std::span(near).first(2), labels, {.vote = Vote::majority}, votes) == 0);
}

TEST_CASE("k-NN tells blobs apart and reports each k") {
  Blobs const train{900, 5, 3, 6, 1};
  Blobs const test{300, 5, 3, 6, 2};
  std::vector<KnnResult> const results = knn(train.labelled(), test.labelled(), {.k = {1, 20}});
  REQUIRE(results.size() == 2);
  REQUIRE(results[1].k == 20);
  REQUIRE(results[1].accuracy > 0.97);
  REQUIRE(results[1].per_class.size() == 3);
  REQUIRE(results[1].accuracy == accuracy(results[1].predictions, test.labels));
  Blobs const itself{50, 5, 3, 0, 9};
  REQUIRE(knn(itself.labelled(), itself.labelled(), {.k = {1}})[0].accuracy == 1);
}

TEST_CASE("a k-NN that cannot be is refused") {
  Blobs const train{30, 5, 3, 6, 1};
  Blobs const test{30, 5, 3, 6, 2};
  Blobs const narrow{30, 4, 3, 6, 2};
  Blobs const more{30, 5, 4, 6, 2};
  REQUIRE_THROWS_WITH(knn(train.labelled(), test.labelled(), {.k = {31}}),
                      contains("[1, 30]") && contains("got 31"));
  REQUIRE_THROWS_AS(knn(train.labelled(), test.labelled(), {.k = {}}), ConfigError);
  REQUIRE_THROWS_AS(knn(train.labelled(), test.labelled(), {.k = {1}, .temperature = 0}), ConfigError);
  REQUIRE_THROWS_WITH(knn(train.labelled(), narrow.labelled(), {.k = {1}}),
                      contains("5 dims") && contains("got 4"));
  REQUIRE_THROWS_WITH(knn(train.labelled(), more.labelled(), {.k = {1}}),
                      contains("[0, 3)") && contains("3 of sample 3"));
  std::vector<int> const one(30, 2);
  REQUIRE_THROWS_WITH(knn({train.features(), one}, test.labelled(), {.k = {1}}), contains("two classes"));
}

TEST_CASE("duplicates stand together, the lower index first, wherever they stand in the base") {
  constexpr Index count = 1500, kinds = 5;
  for (Index const dims : {3, 16, 33, 64}) {
    std::vector<float> values;
    for (Index i = 0; i < count; ++i)
      for (Index j = 0; j < dims; ++j)
        values.push_back(std::sin(static_cast<float>((i % kinds + 1) * (j + 3))));
    Features const queries{std::span{values}.first(static_cast<std::size_t>(kinds * dims)), kinds, dims};
    Neighbours const found = nearest_neighbours({values, count, dims}, queries, count);
    Index wrong = 0;
    for (Index i = 0; i < kinds; ++i)
      for (Index r = 0; r < count; ++r) {
        Index const index = found.of(i)[static_cast<std::size_t>(r)].index;
        Index const before = r == 0 ? i : found.of(i)[static_cast<std::size_t>(r - 1)].index;
        wrong += index % kinds == before % kinds && index < before ? 1 : 0;
        wrong += r < count / kinds && index % kinds != i ? 1 : 0;
      }
    CHECK(wrong == 0);
  }
}

TEST_CASE("votes, classes and temperatures that cannot be are refused") {
  Blobs blobs{20, 3, 2, 1, 1};
  std::vector<double> votes(1);
  std::vector<Neighbour> const near{{19, 0.5F}};
  REQUIRE_THROWS_AS(vote({}, blobs.labels, {}, votes), RangeError);
  REQUIRE_THROWS_AS(vote(near, blobs.labels, {}, votes), RangeError);
  REQUIRE_THROWS_AS(knn(blobs.labelled(), blobs.labelled(), {.k = {1}, .temperature = INFINITY}),
                    ConfigError);
  REQUIRE_THROWS_AS(knn(blobs.labelled(), blobs.labelled(), {.k = {1}, .classes = -1}), ConfigError);
  blobs.labels[3] = std::numeric_limits<int>::max();
  REQUIRE_THROWS_WITH(knn(blobs.labelled(), blobs.labelled(), {.k = {1}}), contains("labels below 1048576"));
}
