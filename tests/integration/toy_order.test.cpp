// A world whose optimum is known: eight independent Gaussian factors of different amplitude along orthonormal
// directions, sixteen subsets of one dim, linear encoder and decoder. The published objective tells the
// greatest factors first; the whitened error with stopped gradients and a price on z the smallest first, each
// when it is lost (diffusion/factor_assignment.hpp).
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include <Eigen/Core>
#include <Eigen/LU>
#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/diffsiam.hpp>
#include <diffsiam/diffusion/factor_assignment.hpp>
#include <diffsiam/eval/spearman.hpp>
#include <diffsiam/eval/subset_factor_map.hpp>
#include <diffsiam/loss/feature_order.hpp>
#include <diffsiam/train/adam.hpp>

namespace diffsiam::test {

namespace {

using B = backend::Cpu<float>;
using diffusion::ErrorMetric;
using diffusion::FactorKind;

constexpr int factors = 8, subsets = 16;
/// Lost, if they had two values, at t = 300, 360, ..., 720.
std::vector<double> const amplitudes{0.836476, 1.12767,  1.523257, 2.083386,
                                     2.907492, 4.163966, 6.145018, 9.370767};
auto const partition = TimestepPartition::uniform({.timesteps = 1000, .subsets = subsets, .dims = subsets});
auto const schedule = NoiseSchedule::linear();

int middle_of(int subset) {
  return 31 + subset * 1000 / subsets;
}
double snr_of(int subset) {
  return schedule.snr()[static_cast<std::size_t>(middle_of(subset))];
}

/// What a denoiser restores of factors f (n, factors) at the middle step of subset i: the best, since they
/// are Gaussian, is linear, r f/(1 + r) and noise.
Tensor<B> denoised(Tensor<B> const& f, int i, Rng const& rng) {
  auto const noise =
      diffusion::normal<B>(f.context(), f.shape(), rng.with_stream(10U + static_cast<std::uint32_t>(i)))
          .values<double>();
  auto values = f.values<double>();
  for (std::size_t at = 0; at < values.size(); ++at) {
    double const r = snr_of(i) * amplitudes[at % factors] * amplitudes[at % factors];
    values[at] = (r * values[at] + std::sqrt(r) * noise[at]) / (1 + r);
  }
  return Tensor<B>::from(f.context(), f.shape(), std::span<double const>{values});
}

/// Takes Adam steps on loss(tape, z, f, known, rng) of a linear encoder, and returns its matrix, (subsets,
/// factors).
template <class Decoders, class Loss>
Eigen::MatrixXd trained(B::Context& context, Decoders const& decoders, std::uint64_t steps,
                        Loss const& loss_of) {
  nn::Init<B> init{context, 5};
  nn::Linear<B> const encoder{init, {.in = factors, .out = subsets}};
  train::Adam<B> adam{parameters(encoder, decoders), {.learning_rate = 1e-2}};
  for (std::uint64_t step = 0; step < steps; ++step) {
    if (step == steps * 2 / 3) adam.set_learning_rate(1e-3);
    Rng const rng{.seed = 1, .step = step};
    auto const f = diffusion::normal<B>(context, {32, factors}, rng);
    std::vector<Tensor<B>> known;
    for (int i = 0; i < subsets; ++i) known.push_back(denoised(f, i, rng));
    Tape<B> tape{context};
    tape.backward(loss_of(encoder(tape.input(f)), f, known, rng));
    adam.step();
  }
  auto const values = encoder.weight().value().template values<double>();
  return Eigen::Map<Eigen::Matrix<double, subsets, factors, Eigen::RowMajor> const>{values.data()};
}

/// A linear decoder for each subset.
struct Decoders {
  using Backend = B;
  std::vector<nn::Linear<B>> of_subset;

  explicit Decoders(B::Context& context) {
    nn::Init<B> init{context, 6};
    for (int i = 0; i < subsets; ++i) of_subset.push_back({init, {.in = subsets + factors, .out = factors}});
  }
  template <class F>
  void for_each_child(F&& f) const {
    for (std::size_t i = 0; i < of_subset.size(); ++i) f(nn::ChildName{text({"decoder_", i})}, of_subset[i]);
  }
};

/// The published loss, an error of eps: of x_0 it is lambda_t SNR_t |x_0 - x_0^|^2.
Taped<B> published_loss(Decoders const& decoders, Taped<B> const& z, Tensor<B> const& f,
                        std::vector<Tensor<B>> const& known) {
  auto& context = f.context();
  std::optional<Taped<B>> total;
  for (int i = 0; i < subsets; ++i) {
    auto const at = static_cast<std::size_t>(i);
    auto const t = Tensor<B>::filled(context, {f.shape()[0]}, static_cast<float>(middle_of(i)));
    auto const restored = decoders.of_subset[at](ops::concat(encoder::reveal(partition, z, t), known[at]));
    std::vector<double> weights;
    for (Index row = 0; row < f.shape()[0]; ++row)
      for (double const s : amplitudes)
        weights.push_back(s * std::sqrt(diffusion::SnrPower{}(schedule, middle_of(i)) * snr_of(i)));
    auto const weight = Tensor<B>::from(context, f.shape(), std::span<double const>{weights});
    auto const error = ops::multiply(ops::subtract(restored, f), weight);
    auto const loss = ops::mean(ops::multiply(error, error));
    total = total ? ops::add(*total, loss) : ops::scale(loss, 1);
  }
  return *total;
}

/// The share of each factor that the first subsets tell. Of a linear z + n it is 1 - ((1 + E^T E/v)^-1)_jj
/// for f_j, with E the rows of these subsets and v the variance of n.
std::vector<std::vector<double>> told(Eigen::MatrixXd const& encoder, double variance) {
  std::vector<std::vector<double>> prefix(factors);
  for (Index i = 1; i <= subsets; ++i) {
    Eigen::MatrixXd const rows = encoder.topRows(i);
    Eigen::MatrixXd const left =
        (Eigen::MatrixXd::Identity(factors, factors) + rows.transpose() * rows / variance).inverse();
    for (Index j = 0; j < factors; ++j) prefix[static_cast<std::size_t>(j)].push_back(1 - left(j, j));
  }
  return prefix;
}

/// The mean time-step of the subsets by which each factor is found.
std::vector<double> found(std::vector<std::vector<double>> const& prefix) {
  std::vector<double> result;
  for (auto const& shares : prefix)
    result.push_back(eval::found_step(shares, eval::subset_centres(partition))->mean);
  return result;
}

}  // namespace

TEST_CASE("The published objective finds the greatest factors first") {
  B::Context context{{.threads = 1}};
  Decoders const decoders{context};
  auto const encoder =
      trained(context, decoders, 1500, [&](auto const& z, auto const& f, auto const& known, Rng const&) {
        return published_loss(decoders, z, f, known);
      });
  auto const steps = found(told(encoder, 1e-6));
  CAPTURE(steps);
  // The gains of the greatest factors hardly differ, so their order among each other is loose.
  CHECK(eval::spearman_r(amplitudes, steps) < -0.6);
}

TEST_CASE("A whitened error with stopped gradients and a price finds factors when they are lost") {
  B::Context context{{.threads = 1}};
  double const price = 0.004;
  loss::FeatureOrder<B> const objective{context,
                                        {.partition = partition, .features = factors, .price = price}};
  auto const encoder =
      trained(context, objective, 600, [&](auto const& z, auto const& f, auto const& known, Rng const& rng) {
        return objective(z, f, known, rng);
      });
  auto const prefix = told(encoder, 1);
  auto const steps = found(prefix);
  CAPTURE(steps);
  CHECK(eval::spearman_r(amplitudes, steps) > 0.9);

  // Of m, the error of f_j, z = a f_j + n takes m a^2 m/(1 + a^2 m). In the mean over 16 subsets and 8
  // factors the first of it pays, m^2/128 > price/2, where m is above this. No subset tells a factor before.
  double const least = std::sqrt(64 * price);
  auto const of_clean = [](NoiseSchedule const& of, int t) {
    return 1 / of.snr()[static_cast<std::size_t>(t)];
  };
  auto const first = diffusion::assign_by_window(
      diffusion::window_gains(schedule, FactorKind::gaussian, ErrorMetric::whitened, amplitudes, subsets,
                              of_clean),
      std::vector<int>(subsets, factors), least);
  for (std::size_t j = 0; j < factors; ++j) {
    REQUIRE(first[j].has_value());
    INFO("factor " << j << " pays from subset " << *first[j]);
    CHECK(prefix[j][*first[j] - 2] < 0.1);
    CHECK(prefix[j].back() > 0.3);
  }
}

}  // namespace diffsiam::test
