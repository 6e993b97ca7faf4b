#include <tests/golden/cases/diti_step.hpp>
#include <tests/golden/encoder_shape.hpp>
#include <tests/golden/report.hpp>
#include <tests/golden/settings.hpp>
#include <tests/support/catch.hpp>

using namespace diffsiam;
using namespace diffsiam::golden;
using diffsiam::test::contains;

TEST_CASE("Rolling is torch.roll: what leaves at the end comes back in front", "[golden]") {
  CHECK(rolled({0, 1, 2, 3}, {4}, 0, 1) == Values{3, 0, 1, 2});
  CHECK(rolled({0, 1, 2, 3}, {4}, 0, -5) == Values{1, 2, 3, 0});
  CHECK(rolled({0, 1, 2, 3, 4, 5}, {1, 3, 2}, 1, 1) == Values{4, 5, 0, 1, 2, 3});
  CHECK(rolled({0, 1, 2, 3, 4, 5}, {3, 2}, 1, 3) == Values{1, 0, 3, 2, 5, 4});
}

TEST_CASE("The shape of an encoder is read from its weights", "[golden]") {
  File const file{std::filesystem::path{DIFFSIAM_TEST_DATA} / "diti_step.safetensors"};
  auto const shape = encoder_shape_of(file, "encoder.encoder.", "input.x_0");
  CHECK(shape.channels == std::vector<Index>{64, 128, 128, 128});
  CHECK(shape.attention_after == 1);
  CHECK(shape.in_channels == 3);
  CHECK(shape.height == 64);
  CHECK_THROWS_WITH(encoder_shape_of(file, "decoder.input_blocks.", "input.x_0"), contains("linear layer"));
}

TEST_CASE("Settings name schedules, weights and partitions of the library", "[golden]") {
  CHECK(schedule_of(Json::parse(R"({"kind": "sigmoid", "timesteps": 30})")) ==
        diffusion::NoiseSchedule::sigmoid(30));
  CHECK(schedule_of(Json::parse(R"({"kind": "betas", "betas": [0.1, 0.2]})")).timesteps() == 2);
  CHECK_THROWS_WITH(schedule_of(Json::parse(R"({"kind": "linear"})")), contains("'timesteps'"));
  CHECK_THROWS_WITH(schedule_of(Json::parse("[1]")), contains("an object as schedule"));

  auto const schedule = diffusion::NoiseSchedule::linear();
  CHECK(weight_of("1")(schedule, 9) == 1);
  CHECK(weight_of("snr^0.1/(1+snr)")(schedule, 475) == diffusion::SnrPower{}(schedule, 475));
  CHECK(weight_of("1/(1+snr)^0.5")(schedule, 9) == diffusion::P2{1, 0.5}(schedule, 9));
  CHECK_THROWS_WITH(weight_of("snr^0.1/(1+snr"), contains("a weight among"));

  using encoder::TimestepPartition;
  CHECK(partition_of(Json::parse(R"({"timesteps": 1000, "subsets": 64, "dims": 512, "widths": "staged",
                                     "stages": [[50, 10], [100, 25], [300, 327], [500, 100], [1000, 50]]})")) ==
        TimestepPartition::published());
  CHECK(partition_of(Json::parse(R"({"timesteps": 10, "subsets": 3, "dims": 7, "widths": "uniform"})")) ==
        TimestepPartition::uniform({.timesteps = 10, .subsets = 3, .dims = 7}));
  CHECK_THROWS_WITH(
      partition_of(Json::parse(R"({"timesteps": 10, "subsets": 3, "dims": 7, "widths": "narrow"})")),
      contains("narrow"));
}

TEST_CASE("A gradient of zero is held to a hundredth of the largest, any other to itself", "[golden]") {
  auto const passes = [](Values const& small) {
    Report report{Tolerances::of_float()};
    report.gradients(
        std::vector<KnownGradient>{{"large", {100, 0}, {100, 0}}, {"small", small, {1e-12, -1e-12}}});
    return report.passed();
  };
  CHECK(passes({9e-4, 0}));
  CHECK_FALSE(passes({1.1e-3, 0}));

  Report report{Tolerances::of_float()};
  report.gradients(std::vector<KnownGradient>{{"large", {100.11, 0}, {100, 0}}});
  CHECK_FALSE(report.passed());
  CHECK_FALSE(Report{Tolerances::of_float()}.passed());  // nothing was compared
}
