// Pictures between two, and counterfactuals, through a whole model.
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/support/small_model.hpp>

#include <diffsiam/model/interpolate.hpp>

using namespace diffsiam;
using diffsiam::test::contains;

namespace {

using B = backend::Cpu<double>;
using Small = test::SmallModel<B>;
using model::SubsetRange;

struct Pair {
  B::Context context{{.threads = 1}};
  Small small{context};
  TimeGrid grid = TimeGrid::linspace(Small::timesteps, 6);
  model::Origin<B> from = origin(1), to = origin(2);

  [[nodiscard]] model::Origin<B> origin(std::uint64_t seed) {
    return {diffusion::normal<B>(context, {2, 8, 8, 1}, {.seed = seed}),
            diffusion::normal<B>(context, {2, 8}, {.seed = seed, .stream = 5})};
  }
  [[nodiscard]] auto sampled(Tensor<B> const& x_T, Tensor<B> const& z) const {
    return small.model.sample(x_T, z, grid).values();
  }
};

}  // namespace

TEST_CASE("An interpolation begins and ends at the pictures themselves") {
  Pair const pair;
  std::array const weights{0.0, 0.5, 1.0};
  auto const pictures = model::interpolate(pair.small.model, pair.from, pair.to, weights, pair.grid);
  REQUIRE(pictures.size() == 3);
  CHECK(pictures[0].values() == pair.sampled(pair.from.x_T, pair.from.z));
  CHECK(pictures[2].values() == pair.sampled(pair.to.x_T, pair.to.z));
  CHECK(pictures[1].shape() == pair.from.x_T.shape());

  auto z = pair.from.z.values();
  auto const other = pair.to.z.values();
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = z[i] + 0.5 * (other[i] - z[i]);
  CHECK(pictures[1].values() ==
        pair.sampled(model::slerp(pair.from.x_T, pair.to.x_T, 0.5),
                     Tensor<B>::from(pair.from.z.context(), {2, 8}, std::span<double const>{z})));
}

TEST_CASE("A counterfactual of weight 0 is the picture, one of all subsets has all of the other's z") {
  Pair const pair;
  std::array<SubsetRange, 2> const ranges{{{0, 4}, {1, 3}}};
  auto const none =
      model::counterfactuals(pair.small.model, pair.from, pair.to, ranges, pair.grid, {.weight = 0});
  auto const same = pair.sampled(pair.from.x_T, pair.from.z);
  REQUIRE(none.size() == 2);
  for (auto const& picture : none) CHECK(picture.values() == same);

  // x_T stays, and that of the other need not be known.
  auto const changed =
      model::counterfactuals(pair.small.model, pair.from, {{}, pair.to.z}, ranges, pair.grid);
  CHECK(changed[0].values() == pair.sampled(pair.from.x_T, pair.to.z));
  CHECK(changed[1].values() != changed[0].values());
  CHECK(changed[1].values() != same);

  auto const moved =
      model::counterfactuals(pair.small.model, pair.from, pair.to, ranges, pair.grid, {.noise_weight = 1});
  CHECK(moved[0].values() == pair.sampled(pair.to.x_T, pair.to.z));
}

TEST_CASE("An edit of subsets says nothing at time-steps before the first of them") {
  Pair const pair;
  auto const& model = pair.small.model;
  for (int first = 0; first < 4; ++first) {
    std::array<SubsetRange, 1> const range{{{first, first + 1}}};
    auto const edited = model::counterfactuals(model, pair.from, pair.to, range, pair.grid)[0].values();
    auto const z = model::exchange_subsets(model.partition(), pair.from.z, pair.to.z, first, first + 1);
    int const begin = model.partition().first_step(first);
    // By hand: the edited z down to `begin`, from there the old one.
    int of_the_edited = 0;
    auto const by_hand = [&](Tensor<B> const& x, Tensor<B> const& t, diffusion::SamplerStep step) {
      of_the_edited += step.t >= begin ? 1 : 0;
      return model.guided(step.t >= begin ? z : pair.from.z)(x, t, step);
    };
    CHECK(ddim_sample<B>(model.schedule(), pair.grid, pair.from.x_T, by_hand).values() == edited);
    CHECK(of_the_edited > 0);
    CHECK(edited != pair.sampled(pair.from.x_T, pair.from.z));
    for (int t = 0; t < Small::timesteps; ++t) {
      auto const eps = [&](Tensor<B> const& latents) {
        auto const steps = Tensor<B>::filled(latents.context(), {2}, t);
        return model.guided(latents)(pair.from.x_T, steps, {t, 1}).values();
      };
      CHECK((eps(z) == eps(pair.from.z)) == (t < begin));
    }
  }
}

TEST_CASE("Interpolations and counterfactuals that cannot be are refused") {
  Pair const pair;
  auto const& model = pair.small.model;
  auto const edit = [&](SubsetRange range, model::CounterfactualOptions const& options = {}) {
    return model::counterfactuals(model, pair.from, {{}, pair.to.z}, std::array{SubsetRange{0, 1}, range},
                                  pair.grid, options);
  };
  CHECK_THROWS_WITH(edit({2, 5}), contains("subsets within [0, 4)") && contains("[2, 5)"));
  CHECK_THROWS_WITH(edit({3, 3}), contains("[3, 3)"));
  CHECK_THROWS_WITH(edit({-1, 2}), contains("[-1, 2)"));
  CHECK_THROWS_WITH(edit({1, 2}, {.noise_weight = 0.5}), contains("another x_T") && contains("none"));
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(edit({1, 2}, {.weight = nan}), RangeError);
  CHECK_THROWS_WITH(model::interpolate(model, pair.from, pair.to, std::array{0.0, nan}, pair.grid),
                    contains("interpolate") && contains("finite weights"));
  model::Origin<B> const narrow{pair.to.x_T, Tensor<B>::zeros(pair.from.z.context(), {2, 7})};
  CHECK_THROWS_WITH(model::interpolate(model, pair.from, narrow, std::array{0.5}, pair.grid),
                    contains("(2, 8)") && contains("(2, 7)"));
}
