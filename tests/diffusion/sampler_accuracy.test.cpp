// Every hop of both samplers against long double, over predictions x schedules x grids x directions x element
// types. The bounds say how many digits each prediction leaves: see docs/conventions.md.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/diffusion/ddim.hpp>
#include <diffsiam/diffusion/ddpm.hpp>

using namespace diffsiam;
using namespace diffsiam::diffusion;
using diffsiam::test::contains;

namespace {

using Real = long double;
using Target = PredictionTarget;

/// What a hop started from and what was predicted there, as the sampler saw them.
struct Seen {
  std::vector<double> x, prediction;
};

/// The ideal denoiser of pixels that are N(mean_i, .04): some means lie outside [-1, 1], so that clipping has
/// something to do.
template <class B>
struct IdealDenoiser {
  NoiseSchedule schedule;
  Target target;
  std::vector<Seen>* seen;

  [[nodiscard]] static Real mean(std::size_t pixel) { return -1.3L + 0.23L * static_cast<Real>(pixel); }

  Tensor<B> operator()(Tensor<B> const& x, Tensor<B> const& t) const {
    Real const abar = schedule.abar(static_cast<int>(t.values()[0]));
    Real const a = std::sqrt(abar), s = std::sqrt(1 - abar), variance = 0.04L;
    auto const values = x.template values<double>();
    std::vector<double> predicted(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      // For this pixel alone eps and v are written without a division by a or s.
      Real const residue = values[i] - a * mean(i), total = abar * variance + s * s;
      Real const x_0 = mean(i) + a * variance / total * residue, noise = s * residue / total;
      predicted[i] = static_cast<double>(target == Target::eps   ? noise
                                         : target == Target::x_0 ? x_0
                                                                 : a * noise - s * x_0);
    }
    Tensor<B> const result = empty(x);
    result.assign(std::span<double const>{predicted});
    seen->push_back({values, result.template values<double>()});
    return result;
  }

  [[nodiscard]] static Tensor<B> empty(Tensor<B> const& like) {
    if constexpr (backend::MixedPrecision<B>) {
      return Tensor<B>::low_precision(like.context(), like.shape());  // as networks return it there
    } else {
      return Tensor<B>{like.context(), like.shape()};
    }
  }
};

/// A value and how far from it a sampler may come.
struct Expected {
  Real value, bound;
};

/// Roundings of T that a hop may add up, each of at most half this.
template <class T>
Real const ulps = 8 * static_cast<Real>(std::numeric_limits<T>::epsilon());

template <class T>
struct Oracle {
  Target target;
  bool clip;
  Real a, s;

  Oracle(Target predicted, bool clips, double abar)
      : target(predicted), clip(clips), a(std::sqrt(Real(abar))), s(std::sqrt(1 - Real(abar))) {}

  [[nodiscard]] Real unclipped(Real x, Real p) const {
    return target == Target::eps ? (x - s * p) / a : target == Target::v ? a * x - s * p : p;
  }
  [[nodiscard]] Expected x_0(Real x, Real p) const {
    Real const value = unclipped(x, p);
    Real const terms = target == Target::eps ? (std::abs(x) + s * std::abs(p)) / a
                       : target == Target::v ? a * std::abs(x) + s * std::abs(p)
                                             : std::abs(p);
    if (!clip) return {value, ulps<T> * terms};
    return {std::clamp<Real>(value, -1, 1), std::min<Real>(2, ulps<T> * terms)};
  }
  [[nodiscard]] Expected noise(Real x, Real p) const {
    Expected const clean = x_0(x, p);
    Real const value = unclipped(x, p);
    // A rounding may decide whether x_0 is clipped.
    bool const at_clip = clip && std::abs(value) > 1 - clean.bound;
    bool const direct = target == Target::v || (target == Target::eps && s < Real(1) / 1024);
    Real const noise = target == Target::eps ? p : target == Target::v ? s * x + a * p : (x - a * p) / s;
    if (direct && !at_clip)
      return {noise, ulps<T> * (target == Target::eps ? std::abs(p) : s * std::abs(x) + a * std::abs(p))};
    Real const again = clean.value != value ? (x - a * clean.value) / s : noise;
    return {again, (ulps<T> * (std::abs(x) + a * std::abs(clean.value)) + a * clean.bound) / s};
  }
};

template <class T>
[[nodiscard]] Expected mixed(Real to, Expected const& first, Real direction, Expected const& second,
                             Real noise) {
  Real const value = to * first.value + direction * second.value + noise;
  return {value,
          to * first.bound + direction * second.bound +
              ulps<T> * (std::abs(to * first.value) + std::abs(direction * second.value) + std::abs(noise))};
}

template <class B>
[[nodiscard]] std::vector<double> noise_of(Tensor<B> const& like, Rng const& rng, int step) {
  return normal<B>(like.context(), like.shape(),
                   stream_of(rng, Stream::sampling).at_step(static_cast<std::uint64_t>(step)))
      .template values<double>();
}

void check(std::vector<double> const& got, std::vector<Expected> const& expected) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("pixel " << i << ": " << got[i] << ", not " << static_cast<double>(expected[i].value) << " +- "
                  << static_cast<double>(expected[i].bound));
    // One CHECK of what is wrong, not a million of what is right.
    if (!(std::abs(Real(got[i]) - expected[i].value) <= expected[i].bound)) CHECK(false);
  }
}

template <class B>
void check_hops(std::vector<Hop> const& hops, Target target, DdimOptions const& options,
                std::vector<Seen> const& seen, Tensor<B> const& result) {
  using T = typename B::Scalar;
  REQUIRE(seen.size() == hops.size());
  for (std::size_t h = 0; h < hops.size(); ++h) {
    INFO("hop " << h << " at t = " << hops[h].t);
    Oracle<T> const at{target, options.clip, hops[h].abar_from};
    Real const from = hops[h].abar_from, to = hops[h].abar_to;
    Real const variance =
        to > from ? Real(options.eta) * Real(options.eta) * (1 - to) / (1 - from) * (1 - from / to) : 0;
    auto const noise = noise_of(result, options.rng, static_cast<int>(h));
    std::vector<Expected> expected;
    for (std::size_t i = 0; i < noise.size(); ++i) {
      Real const x = seen[h].x[i], p = seen[h].prediction[i];
      Real const direction = std::sqrt(std::max<Real>(0, 1 - to - variance));
      Expected const eps = at.noise(x, p);
      expected.push_back(
          mixed<T>(std::sqrt(to), at.x_0(x, p), direction, eps, std::sqrt(variance) * Real(noise[i])));
      // The direction is the root of a difference in double.
      expected.back().bound += 4e-16L / std::max<Real>(direction, 2e-8L) * std::abs(eps.value);
    }
    check(h + 1 < hops.size() ? seen[h + 1].x : result.template values<double>(), expected);
  }
}

template <class B>
void check_ancestral(NoiseSchedule const& schedule, Target target, DdpmOptions const& options,
                     std::vector<Seen> const& seen, Tensor<B> const& result) {
  using T = typename B::Scalar;
  int const steps = schedule.timesteps();
  REQUIRE(static_cast<int>(seen.size()) == steps);
  for (int t = steps - 1; t >= 0; --t) {
    INFO("t = " << t);
    auto const& at_t = seen[static_cast<std::size_t>(steps - 1 - t)];
    Oracle<T> const at{target, options.clip, schedule.abar(t)};
    Real const beta = schedule.betas()[static_cast<std::size_t>(t)], before = schedule.abar(t - 1);
    Real const left = 1 - Real(schedule.abar(t));
    Real const deviation = t == 0 ? 0 : std::sqrt(beta * (1 - before) / left);
    auto const noise = noise_of(result, options.rng, t);
    std::vector<Expected> expected;
    for (std::size_t i = 0; i < noise.size(); ++i) {
      Real const x = at_t.x[i], p = at_t.prediction[i];
      expected.push_back(mixed<T>(beta * std::sqrt(before) / left, at.x_0(x, p),
                                  std::sqrt(1 - beta) * (1 - before) / left, {x, 0},
                                  deviation * Real(noise[i])));
      // Tables are made in double, of differences from 1.
      expected.back().bound += 2e-16L / left * (1 + std::abs(x));
    }
    check(t > 0 ? seen[static_cast<std::size_t>(steps - t)].x : result.template values<double>(), expected);
  }
}

struct Named {
  std::string name;
  NoiseSchedule schedule;
};

std::vector<Named> all_schedules() {
  // From 1e-12 up: next to no noise at the first steps, and at the last abar = 1e-60.
  std::vector<double> wide;
  for (int t = 0; t < 60; ++t) wide.push_back(std::min(0.97, std::pow(10, -12 + 0.5 * t)));
  return {{"linear", NoiseSchedule::linear(100)},
          {"linear of 1000 steps", NoiseSchedule::linear()},
          {"linear of 4000 steps", NoiseSchedule::linear(4000)},
          {"cosine", NoiseSchedule::cosine(200)},
          {"sigmoid", NoiseSchedule::sigmoid(100)},
          {"constant", NoiseSchedule::constant(100)},
          {"from next to no noise to next to no signal", NoiseSchedule::from_betas(wide)},
          {"linear to zero SNR", NoiseSchedule::linear(100).with_zero_terminal_snr()},
          {"cosine to zero SNR", NoiseSchedule::cosine(200).with_zero_terminal_snr()},
          {"scaled linear to zero SNR", NoiseSchedule::scaled_linear(100).with_zero_terminal_snr()},
          {"linear respaced",
           NoiseSchedule::from_betas(TimeGrid::linspace(1000, 49).respaced_betas(NoiseSchedule::linear()))}};
}

}  // namespace

TEMPLATE_TEST_CASE("Every hop of DDIM is as exact as its prediction", "", backend::Cpu<float>,
                   backend::Cpu<double>, (backend::Cpu<float, BFloat16>)) {
  using B = TestType;
  typename B::Context context{{.threads = 1}};
  auto const start = normal<B>(context, {1, 2, 2, 3}, {.seed = 2});
  std::vector<Seen> seen;
  for (auto const& [name, schedule] : all_schedules()) {
    for (Target const target : {Target::eps, Target::x_0, Target::v}) {
      if (target == Target::eps && schedule.has_zero_terminal_snr()) continue;
      INFO(name << ", " << to_string(target));
      PlainNoise const predict{IdealDenoiser<B>{schedule, target, &seen}, schedule, target};
      for (GridKind const kind : {GridKind::linspace, GridKind::leading, GridKind::trailing})
        for (int const steps : {1, 5, 10}) {
          int const T = schedule.timesteps();
          if (kind != GridKind::linspace && T % steps != 0) continue;
          auto const grid = TimeGrid::make(kind, T, steps);
          INFO(to_string(kind) << ", " << steps << " steps");
          for (bool const clip : {true, false}) {
            for (double const eta : {0.0, 0.6, 1.0}) {
              INFO("decode, eta " << eta << ", clip " << clip);
              DdimOptions const options{.eta = eta, .clip = clip, .rng = {.seed = 3}};
              seen.clear();
              auto const x = ddim_sample<B>(schedule, grid, start, predict, options);
              check_hops(grid.decode(schedule), target, options, seen, x);
            }
            for (EncodeEnd const end : {EncodeEnd::stay_on_grid, EncodeEnd::at_zero}) {
              if (kind == GridKind::linspace && end == EncodeEnd::at_zero) continue;
              INFO("encode, clip " << clip << (end == EncodeEnd::at_zero ? ", to abar = 0" : ""));
              DdimOptions const options{.clip = clip};
              seen.clear();
              auto const x = ddim_encode<B>(schedule, grid, start, predict, options, end);
              check_hops(grid.encode(schedule, end), target, options, seen, x);
            }
          }
        }
    }
  }
}

TEMPLATE_TEST_CASE("Every step of DDPM is as exact as its prediction", "", backend::Cpu<float>,
                   backend::Cpu<double>, (backend::Cpu<float, BFloat16>)) {
  using B = TestType;
  typename B::Context context{{.threads = 1}};
  auto const start = normal<B>(context, {1, 2, 2, 3}, {.seed = 2});
  std::vector<Seen> seen;
  for (auto const& [name, schedule] : all_schedules())
    for (Target const target : {Target::eps, Target::x_0, Target::v})
      for (bool const clip : {true, false}) {
        if (target == Target::eps && schedule.has_zero_terminal_snr()) continue;
        INFO(name << ", " << to_string(target) << ", clip " << clip);
        PlainNoise const predict{IdealDenoiser<B>{schedule, target, &seen}, schedule, target};
        DdpmOptions const options{.clip = clip, .rng = {.seed = 4}};
        seen.clear();
        auto const x = ddpm_sample<B>(schedule, start, predict, options);
        check_ancestral(schedule, target, options, seen, x);
      }
}
