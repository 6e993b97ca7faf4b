#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>

#include <experiments/editing/runner.hpp>

using namespace experiments;

namespace {

/// Shapes of 16 x 16 pixels, grey: small enough for PCA in a test.
ExperimentData small_shapes() {
  ds::data::ShapePictures const shapes{{.side = 16, .channels = 1}};
  auto const train = shapes.sample(300, {.seed = 0, .stream = 1}),
             test = shapes.sample(40, {.seed = 0, .stream = 2});
  return {&data_set("shapes"),
          {train.pictures, test.pictures, test.pictures},
          {{ds::data::shape_factor_names.begin(), ds::data::shape_factor_names.end()},
           {ds::data::shape_levels.begin(), ds::data::shape_levels.end()},
           train.values,
           test.values,
           test.values}};
}

/// A studio whose judge is at its random start and is said to read background and hue alone.
struct SmallStudio {
  B::Context context{{.threads = 1}};
  ExperimentData data = small_shapes();
  Run run{&context, &data, "judge", {}, {}};
  Studio studio{&context,
                &data,
                factor_reader(run),
                {1, 0, .96, 0, 0, 0, 0, 0, 0, .94},
                {},
                {},
                uniform_partition(recipe_for(data_set("shapes")))};
};

double greatest_difference(ds::Tensor<B> const& a, ds::Tensor<B> const& b) {
  auto const x = a.values(), y = b.values();
  double greatest = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    greatest = std::max(greatest, std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
  return greatest;
}

}  // namespace

TEST_CASE("a code of PCA gives pictures back, and without the difference their projections",
          "[experiments]") {
  SmallStudio const small;
  EditableCode const code = pca_code(small.studio, small.data.pictures.train, 64);
  Subjects const test =
      subjects_of(small.studio, code, small.data.pictures.test, small.data.factors.test, 20);
  REQUIRE(test.z.shape() == ds::Shape{20, 64});
  CHECK(greatest_difference(test.rebuilt, test.images) < 1e-5);
  CHECK(std::equal(test.levels.begin(), test.levels.end(), small.data.factors.test.begin()));

  auto const projected = code.decode_alone(test.z);
  auto const likeness_of_64 = likeness(test.images, projected);
  CHECK(likeness_of_64.mse > 1e-5);
  // Nearer to the picture than the mean picture is, and nearer than another picture.
  auto const hidden = with_hidden_columns(small.studio, code, test.z, 0, Eigen::VectorXd::Zero(64));
  CHECK(likeness(test.images, code.decode_alone(hidden)).mse > 4 * likeness_of_64.mse);
}

TEST_CASE("hidden columns are 0 for a decoder that has met them, else at their mean", "[experiments]") {
  SmallStudio const small;
  std::vector<float> const sevens(8, 7);
  auto const z = ds::Tensor<B>::from(*small.studio.context, {2, 4}, std::span<float const>{sevens});
  EditableCode code{};
  code.dims = 4;
  Eigen::VectorXd const mean = Eigen::VectorXd::LinSpaced(4, 1, 4);
  CHECK(with_hidden_columns(small.studio, code, z, 2, mean).values() ==
        std::vector<float>{7, 7, 3, 4, 7, 7, 3, 4});
  code.revealed_in_training = true;
  CHECK(with_hidden_columns(small.studio, code, z, 3, mean).values() ==
        std::vector<float>{7, 7, 7, 0, 7, 7, 7, 0});
  CHECK(revealed_counts(16) == std::vector<int>{0, 1, 2, 4, 8, 16});
  CHECK(revealed_counts(1) == std::vector<int>{0, 1});
}

TEST_CASE("edits are judged by the factors that the judge reads", "[experiments]") {
  SmallStudio const small;
  Studio const& studio = small.studio;
  CHECK(studio.readable_factors() == std::vector<std::size_t>{0, 2});
  auto const wishes = studio.wishes();
  REQUIRE(!wishes.empty());
  CHECK(std::all_of(wishes.begin(), wishes.end(),
                    [](Wish const& wish) { return wish.factor == 0 || wish.factor == 2; }));
  auto const images = images_of(*studio.context, small.data.pictures.test);
  auto const seen = studio.judge.predict(images);
  auto const unchanged = studio.effect(seen, images, {.factor = 2, .level = 0});
  REQUIRE(unchanged.changed.size() == 2);
  CHECK(unchanged.target == 0);
  CHECK(unchanged.others == 0);
  // A change of what the judge does not read plays no part; one of the target does, in its own place.
  auto others = seen;
  for (std::size_t i = 0; i < others.size(); ++i)
    if (i % 10 != 0 && i % 10 != 2) others[i] = others[i] == 0 ? 1 : 0;
  CHECK(studio.effect(others, images, {.factor = 2, .level = 0}).others == 0);
  for (std::size_t i = 2; i < others.size(); i += 10) others[i] = others[i] == 0 ? 1 : 0;
  auto const changed = studio.effect(others, images, {.factor = 2, .level = 0});
  CHECK(changed.target == 1);
  CHECK(changed.others == 0);
}

TEST_CASE("the judge meets noise, up to a limit and not always the same", "[experiments]") {
  B::Context context{{.threads = 1}};
  ds::Tape<B> tape{context};
  auto const x = tape.input(ds::Tensor<B>::zeros(context, {4, 16, 16, 1}));
  double least = 1, greatest = 0;
  for (std::uint64_t step = 0; step < 30; ++step) {
    auto const noise = with_judge_noise(x, {.seed = 0, .stream = 20, .step = step}).value().values();
    double squares = 0;
    for (float const value : noise) squares += static_cast<double>(value) * static_cast<double>(value);
    double const deviation = std::sqrt(squares / static_cast<double>(noise.size()));
    least = std::min(least, deviation);
    greatest = std::max(greatest, deviation);
  }
  CHECK(least < 0.3 * judge_noise);
  CHECK(greatest > 0.7 * judge_noise);
  CHECK(greatest < 1.1 * judge_noise);
}

TEST_CASE("the oracle draws the same pictures with another level", "[experiments]") {
  SmallStudio const small;
  EditableCode const code = pca_code(small.studio, small.data.pictures.train, 64);
  Subjects const test =
      subjects_of(small.studio, code, small.data.pictures.test, small.data.factors.test, 20);
  auto const edits = oracle_edits(small.studio, test);
  REQUIRE(edits.wishes.size() == small.studio.wishes().size());
  REQUIRE(edits.directions() == 2);
  CHECK(edits.wishes.front().edits.front().moved > 0);
  // Where the level is there already nothing changes.
  for (ds::Index i = 0; i < 4; ++i) {
    std::vector<ds::Index> const one{i};
    Subjects const subject = some_of(test, one);
    Wish const own{.factor = 0, .level = subject.levels[0]};
    CHECK(greatest_difference(drawn_again(small.studio, subject, own), subject.images) < 1e-6);
    Wish const other{.factor = 0, .level = subject.levels[0] == 0 ? 1 : 0};
    CHECK(greatest_difference(drawn_again(small.studio, subject, other), subject.images) > 0.01);
  }
}

TEST_CASE("the z of the picture that is drawn again is tried, too", "[experiments]") {
  SmallStudio small;
  small.studio.settings.kept = 4;
  Studio const& studio = small.studio;
  Pictures const& pictures = small.data.pictures;
  EditableCode const code = pca_code(studio, pictures.train, 64);
  FeatureSet const z{code.dims,
                     ds::eval::encode(*studio.context, code, pictures.train),
                     ds::eval::encode(*studio.context, code, pictures.validation),
                     {}};
  Subjects const test = subjects_of(studio, code, pictures.test, small.data.factors.test, 6);
  MethodEdits const edits = manipulations(studio, code, z, test, test);
  REQUIRE(edits.wishes.size() == studio.wishes().size());
  for (WishEdits const& of : edits.wishes) {
    Manipulation const& again = of.edits.back();
    REQUIRE(again.direction == "z drawn again");
    // Nearer to the picture that is asked for than the one before.
    auto const wanted = drawn_again(studio, without(studio, test, of.wish), of.wish);
    CHECK(likeness(again.after, wanted).mse < 0.5 * likeness(again.before, wanted).mse);
  }
}

TEST_CASE("methods without a decoder of 64 dims are refused", "[experiments]") {
  CHECK(editable_source("pdae") == EditableSource::diffusion);
  CHECK(editable_source("ordered") == EditableSource::diffusion);
  CHECK(editable_source("pca") == EditableSource::pca);
  CHECK(editable_source("autoencoder") == EditableSource::autoencoder);
  for (std::string const name : {"nt_xent", "raw_pixels", "wide", "wide_autoencoder", "no_method"})
    CHECK_THROWS_AS(editable_source(name), ds::ConfigError);
  CHECK_THROWS_AS(detail::require_editable({"pdae", "pdae"}), ds::ConfigError);
  CHECK_THROWS_AS(detail::require_editable({}), ds::ConfigError);
}

TEST_CASE("each draw of the report has noise of its own on the way", "[experiments]") {
  B::Context context{{.threads = 1}};
  auto const schedule = ds::NoiseSchedule::linear();
  auto const x_T = ds::diffusion::normal<B>(context, {1, 4, 4, 1}, {.seed = 0, .stream = 50});
  auto const drawn = [&](std::uint32_t draw) {
    return ds::ddim_sample<B>(
        schedule, ds::TimeGrid::linspace(1000, 4), x_T,
        [](ds::Tensor<B> const& x, auto const&...) { return ds::ops::scale(x, 0.5F); },
        with_noise(RunConfig{}, draw));
  };
  CHECK(greatest_difference(drawn(0), drawn(0)) == 0);
  CHECK(greatest_difference(drawn(0), drawn(1)) > 0.01);
}
