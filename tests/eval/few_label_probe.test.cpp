#include <cmath>
#include <vector>

#include <tests/eval/blobs.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/few_label_probe.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::Blobs;
using test::contains;

TEST_CASE("with all labels few_label_probe is linear_probe, in each draw") {
  Blobs const train{90, 4, 3, 1.5F, 1}, validation{60, 4, 3, 1.5F, 2}, unseen{120, 4, 3, 1.5F, 3};
  auto const all = linear_probe(train.labelled(), validation.labelled(), unseen.labelled());
  auto const result =
      few_label_probe(train.labelled(), validation.labelled(), unseen.labelled(), {.share = 1, .draws = 2});
  CHECK(result.accuracies == std::vector<double>{all.accuracy, all.accuracy});
  CHECK(result.accuracy == all.accuracy);
  CHECK(result.labels == 90);
}

TEST_CASE("few_label_probe gives the mean of its draws, each of which is a probe of what was drawn") {
  Blobs const train{300, 4, 3, 1.5F, 1}, validation{150, 4, 3, 1.5F, 2}, unseen{120, 4, 3, 1.5F, 3};
  auto const result = few_label_probe(train.labelled(), validation.labelled(), unseen.labelled(),
                                      {.share = 0.04, .draws = 3, .rng = {.seed = 9, .stream = 20}});
  REQUIRE(result.accuracies.size() == 3);
  CHECK(result.labels == 12);  // 4 of 100 in each of 3 classes
  CHECK(result.accuracy == Approx((result.accuracies[0] + result.accuracies[1] + result.accuracies[2]) / 3));
  // The third draw, by hand: streams 24 and 25.
  auto const cut = [](Blobs const& part, std::uint32_t stream) {
    Blobs few{1, part.dims, 3, 0, 0};
    few.values.clear();
    few.labels.clear();
    for (Index const i : stratified_draw(part.labels, 0.04, {.seed = 9, .stream = stream})) {
      for (Index j = 0; j < part.dims; ++j)
        few.values.push_back(part.values[static_cast<std::size_t>(i * part.dims + j)]);
      few.labels.push_back(part.labels[static_cast<std::size_t>(i)]);
    }
    few.count = static_cast<Index>(few.labels.size());
    return few;
  };
  Blobs const seen = cut(train, 24), held_out = cut(validation, 25);
  CHECK(held_out.count == 6);
  CHECK(result.accuracies[2] ==
        linear_probe(seen.labelled(), held_out.labelled(), unseen.labelled()).accuracy);
}

TEST_CASE("few_label_probe of features apart is right with one label a class, of noise it is at chance") {
  Blobs const train{300, 3, 3, 30, 1}, validation{150, 3, 3, 30, 2}, unseen{120, 3, 3, 30, 3};
  auto const apart =
      few_label_probe(train.labelled(), validation.labelled(), unseen.labelled(), {.share = 0.01});
  CHECK(apart.labels == 3);
  CHECK(apart.accuracy == 1);
  Blobs const noise{300, 4, 3, 0, 1}, noise_held_out{150, 4, 3, 0, 2}, noise_unseen{1200, 4, 3, 0, 3};
  double const chance =
      few_label_probe(noise.labelled(), noise_held_out.labelled(), noise_unseen.labelled()).accuracy;
  CHECK(std::abs(chance - 1.0 / 3) < 0.06);
}

TEST_CASE("few_label_probe refuses no draws, one class, and what the probe refuses") {
  Blobs const data{30, 4, 3, 1, 1}, one{30, 4, 1, 1, 2};
  auto const probe = [](Blobs const& train, Blobs const& validation, FewLabelProbeConfig const& config) {
    return few_label_probe(train.labelled(), validation.labelled(), train.labelled(), config);
  };
  REQUIRE_THROWS_WITH(probe(data, data, {.draws = 0}),
                      contains("few_label_probe") && contains("at least one draw"));
  REQUIRE_THROWS_AS(probe(data, data, {.share = 0}), RangeError);
  REQUIRE_THROWS_WITH(probe(one, one, {}), contains("at least two classes"));
  Blobs narrow{30, 3, 3, 1, 1};
  REQUIRE_THROWS_AS(probe(data, narrow, {}), ShapeError);
}
