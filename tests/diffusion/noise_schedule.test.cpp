#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/diffusion/noise_schedule.hpp>

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using diffsiam::ConfigError;
using diffsiam::RangeError;
using diffsiam::diffusion::NoiseSchedule;
using diffsiam::test::contains;

namespace {

// Relative: exact where the expected value is 0.
auto close(double expected) {
  return WithinRel(expected, 1e-12);
}

struct Spots {
  std::span<double const> table;
  double at_0, at_1, at_100, at_500, at_999;
};

}  // namespace

TEST_CASE("the linear schedule gives the tables of an independent implementation", "[schedule]") {
  auto const s = NoiseSchedule::linear();
  REQUIRE(s.timesteps() == 1000);
  Spots const all[] = {
      {s.betas(), 0.0001, 0.00011991991991991993, 0.002091991991991992, 0.01005995995995996, 0.02},
      {s.alphas(), 0.9999, 0.9998800800800801, 0.997908008008008, 0.98994004004004, 0.98},
      {s.alphas_cumprod(), 0.9999, 0.9997800920720721, 0.8951415908975365, 0.07779665836502389,
       4.035829765375676e-05},
      {s.alphas_cumprod_prev(), 1.0, 0.9999, 0.89701814567496, 0.07858724288177824, 4.118193638138445e-05},
      {s.sqrt_alphas_cumprod(), 0.9999499987499375, 0.9998900399904342, 0.9461192265764059,
       0.2789205233843933, 0.006352818087570016},
      {s.sqrt_one_minus_alphas_cumprod(), 0.009999999999999449, 0.014829292900469677, 0.32381848171848293,
       0.9603141890209558, 0.99997982064757},
      {s.sqrt_recip_alphas_cumprod(), 1.0000500037503124, 1.0001099721020992, 1.0569492426642308,
       3.5852506938754507, 157.41045725150062},
      {s.sqrt_recip_alphas_cumprod_m1(), 0.01000050003749898, 0.014830923708980388, 0.34225969901303166,
       3.4429671125258228, 157.40728081040757},
      {s.posterior_variance(), 0.0, 5.4531876613021935e-05, 0.0020545535299696656, 0.010051335778909595,
       0.01999998352656061},
      {s.posterior_log_variance(), -9.81672513529567, -9.81672513529567, -6.187696714993783,
       -4.600049739984907, -3.912023829100455},
      {s.posterior_mean_x_0_coef(), 1.0000000000001101, 0.5452914995102903, 0.018895455585540077,
       0.0030580570756296205, 0.00012835148717224682},
      {s.posterior_mean_x_t_coef(), 0.0, 0.4547084989905303, 0.9810761025528277, 0.9941043507567258,
       0.9899486782675173},
      {s.noise_posterior_mean_x_t_coef(), 1.0000500037503124, 1.0000599653532942, 1.0010476400237591,
       1.0050682520090375, 1.0101525445522108},
      {s.noise_posterior_mean_noise_coef(), 0.010000500037503676, 0.00808717662839383, 0.0064671529414210525,
       0.010528789939619676, 0.02020345858375528},
      {s.shift_coef(), 0.0, -0.006743005515863494, -0.31769057397894335, -0.9546525133991489,
       -0.989928701744251},
  };
  int table = 0;
  for (auto const& spots : all) {
    INFO("table " << table++);
    REQUIRE(spots.table.size() == 1000);
    CHECK_THAT(spots.table[0], close(spots.at_0));
    CHECK_THAT(spots.table[1], close(spots.at_1));
    CHECK_THAT(spots.table[100], close(spots.at_100));
    CHECK_THAT(spots.table[500], close(spots.at_500));
    CHECK_THAT(spots.table[999], close(spots.at_999));
  }
}

TEST_CASE("the two shift coefficients differ most at small t", "[schedule]") {
  auto const s = NoiseSchedule::linear();
  auto const ratio = [&](std::size_t t) { return s.shift_coef()[t] / s.ddim_shift_coef()[t]; };
  CHECK_THAT(s.ddim_shift_coef()[1], close(-0.014829292900469677));
  CHECK_THAT(ratio(1), WithinAbs(0.455, 5e-4));
  CHECK_THAT(ratio(10), WithinAbs(0.864, 5e-4));
  CHECK_THAT(ratio(300), WithinAbs(0.993, 5e-4));
}

TEST_CASE("both ways of writing the posterior mean agree", "[schedule]") {
  auto const s = NoiseSchedule::cosine(200);
  double const x_0 = 0.3, noise = -1.7;
  for (std::size_t t = 0; t < 200; ++t) {
    double const x_t = s.sqrt_alphas_cumprod()[t] * x_0 + s.sqrt_one_minus_alphas_cumprod()[t] * noise;
    double const from_x_0 = s.posterior_mean_x_0_coef()[t] * x_0 + s.posterior_mean_x_t_coef()[t] * x_t;
    double const from_noise =
        s.noise_posterior_mean_x_t_coef()[t] * x_t - s.noise_posterior_mean_noise_coef()[t] * noise;
    CHECK_THAT(from_x_0, WithinAbs(from_noise, 1e-12));
  }
}

TEST_CASE("abar before the first step is one and past the ends is a RangeError", "[schedule]") {
  auto const s = NoiseSchedule::linear(10);
  CHECK(s.abar(-1) == 1);
  CHECK_THAT(s.abar(0), close(0.9999));
  CHECK_THAT(s.snr()[0], close(0.9999 / (1 - 0.9999)));
  CHECK_THROWS_AS(s.abar(-2), RangeError);
  CHECK_THROWS_AS(s.require_timestep(10), RangeError);
  CHECK_THROWS_WITH(s.require_timestep(10, "add_noise"),
                    contains("add_noise") && contains("[0, 10)") && contains("got 10"));
  CHECK_NOTHROW(s.require_timestep(9));
}

TEST_CASE("the other schedules follow their published formulas", "[schedule]") {
  auto const cosine = NoiseSchedule::cosine();
  CHECK_THAT(cosine.betas()[0], close(4.128422482196914e-05));
  CHECK_THAT(cosine.betas()[500], close(0.003155691441585007));
  CHECK_THAT(cosine.betas()[998], WithinRel(0.7499993929011166, 1e-9));
  CHECK(cosine.betas()[999] == 0.999);

  auto const sigmoid = NoiseSchedule::sigmoid();
  CHECK_THAT(sigmoid.betas()[0], close(0.00014920520081703202));
  CHECK_THAT(sigmoid.betas()[500], close(0.010079879790061015));
  CHECK_THAT(sigmoid.betas()[999], close(0.01995079479918297));

  auto const scaled = NoiseSchedule::scaled_linear();
  CHECK_THAT(scaled.betas()[0], close(0.0015));
  CHECK_THAT(scaled.betas()[500], close(0.007963175016542864));
  CHECK_THAT(scaled.betas()[999], close(0.0195));

  auto const constant = NoiseSchedule::constant();
  CHECK(constant.betas()[0] == 0.008);
  CHECK_THAT(constant.abar(999), WithinRel(std::pow(0.992, 1000), 1e-12));
}

TEST_CASE("betas given by hand make the same schedule as the builder they came from", "[schedule]") {
  auto const linear = NoiseSchedule::linear(50);
  auto const copy = linear;
  CHECK(copy.betas().data() == linear.betas().data());
  CHECK(NoiseSchedule::from_betas(linear.betas()) == linear);
  CHECK_FALSE(NoiseSchedule::linear(51) == linear);
}

TEST_CASE("zero terminal SNR keeps the first abar and ends at exactly zero", "[schedule]") {
  auto const s = NoiseSchedule::linear().with_zero_terminal_snr();
  CHECK_THAT(s.abar(0), close(0.9999));
  CHECK_THAT(s.abar(1), close(0.9997793254331531));
  CHECK_THAT(s.abar(500), WithinRel(0.0752462157043267, 1e-10));
  CHECK_THAT(s.abar(998), WithinRel(4.213262465088072e-09, 1e-6));
  CHECK(s.abar(999) == 0);
  CHECK(s.snr()[999] == 0);
  CHECK(s.ddim_shift_coef()[999] == -1);
  CHECK(s.has_zero_terminal_snr());
  CHECK_FALSE(NoiseSchedule::linear().has_zero_terminal_snr());
  CHECK_THAT(s.with_zero_terminal_snr().abar(500), WithinRel(s.abar(500), 1e-10));
}

TEST_CASE("zero terminal SNR refuses tables that have no meaning and names v", "[schedule]") {
  auto const s = NoiseSchedule::linear(100).with_zero_terminal_snr();
  CHECK_THROWS_AS(s.sqrt_recip_alphas_cumprod(), ConfigError);
  CHECK_THROWS_WITH(s.sqrt_recip_alphas_cumprod(),
                    contains("v prediction") && contains("t = 99") && contains("sqrt_recip_alphas_cumprod"));
  CHECK_THROWS_WITH(s.sqrt_recip_alphas_cumprod_m1(), contains("v prediction"));
  CHECK_THROWS_WITH(s.noise_posterior_mean_x_t_coef(), contains("v prediction"));
  CHECK_THROWS_WITH(s.noise_posterior_mean_noise_coef(), contains("v prediction"));
  for (auto table : {s.posterior_variance(), s.posterior_log_variance(), s.posterior_mean_x_0_coef(),
                     s.posterior_mean_x_t_coef(), s.shift_coef(), s.snr()}) {
    for (double value : table) CHECK(std::isfinite(value));
  }
}

TEST_CASE("a beta outside (0, 1) is named with its index", "[schedule]") {
  auto const given = [](double bad) {
    std::vector<double> const betas{0.1, 0.2, bad, 0.3};
    return NoiseSchedule::from_betas(betas);
  };
  CHECK_NOTHROW(given(0.5));
  for (double bad : {0.0, 1.0, -0.25, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(given(bad), ConfigError);
    CHECK_THROWS_WITH(given(bad),
                      contains("NoiseSchedule::from_betas") && contains("(0, 1)") && contains("beta[2] = "));
  }
  CHECK_THROWS_WITH(given(-0.25), contains("-0.25"));
  CHECK_THROWS_WITH(NoiseSchedule::linear(10, 0.0, 0.02), contains("beta[0] = 0"));
  CHECK_THROWS_WITH(NoiseSchedule::linear(10, 0.1, 1.0), contains("beta[9] = 1"));
  CHECK_THROWS_WITH(NoiseSchedule::scaled_linear(10, -1e-3, 0.1), contains("beta[0] = -0.001"));
  CHECK_THROWS_WITH(NoiseSchedule::constant(10, 2), contains("beta[0] = 2"));
  CHECK_THROWS_WITH(NoiseSchedule::sigmoid(10, 1e-4, 3), contains("NoiseSchedule::sigmoid"));
}

TEST_CASE("schedules that double cannot hold are refused", "[schedule]") {
  CHECK_THROWS_WITH(NoiseSchedule::constant(2000, 0.5), contains("stay above 0"));
  CHECK_THROWS_WITH(NoiseSchedule::constant(10, 1e-17), contains("tell from 0"));
  std::vector<double> const fading{0.1, 0.1, 1e-17};
  CHECK_THROWS_WITH(NoiseSchedule::from_betas(fading), contains("beta[2] = 1e-17"));
  std::vector<double> const faint{0.1, 0.1, 1.2e-16};
  CHECK_THROWS_WITH(NoiseSchedule::from_betas(faint).with_zero_terminal_snr(),
                    contains("with_zero_terminal_snr") && contains("beta[2] = 1.2e-16"));
  CHECK_THROWS_WITH(NoiseSchedule::cosine(10, 0.008, 1.0), contains("max_beta"));
  CHECK_THROWS_WITH(NoiseSchedule::cosine(10, -1), contains("offset"));
  for (int timesteps : {1, 0, -5}) {
    CHECK_THROWS_AS(NoiseSchedule::linear(timesteps), ConfigError);
    CHECK_THROWS_AS(NoiseSchedule::cosine(timesteps), ConfigError);
    CHECK_THROWS_WITH(NoiseSchedule::constant(timesteps), contains("at least 2"));
  }
}
