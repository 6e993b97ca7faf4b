// A world whose optimum is known: eight independent Gaussian factors of different amplitude along orthonormal
// directions, sixteen subsets of one dim, linear encoder and decoder. The published objective tells the
// greatest factors first; the whitened error with stopped gradients and a price on z the smallest first, each
// when it is lost (diffusion/factor_assignment.hpp).
#include <cmath>
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

struct Objective {
  GradientMode mode;
  ErrorMetric metric;
  std::vector<double> lambda;  ///< of the squared error of x_0, at each t
  double price;                ///< of |z|^2/2; with a price, z reaches the decoder with unit noise
};

/// For each subset another linear decoder of z and x_0^: one layer, of whose outputs those of the subset are
/// kept and added.
struct ToyModel {
  using Backend = B;
  nn::Linear<B> encoder, decoder;
  Parameter<B> adding;

  explicit ToyModel(nn::Init<B>&& init)
      : encoder(init, {.in = factors, .out = subsets}),
        decoder(init, {.in = subsets + factors, .out = subsets * factors}),
        adding(Tensor<B>::zeros(encoder.weight().value().context(), {factors, subsets * factors})) {
    std::vector<double> ones(static_cast<std::size_t>(factors * subsets * factors));
    for (std::size_t j = 0; j < factors; ++j)
      for (std::size_t i = 0; i < subsets; ++i) ones[j * subsets * factors + i * factors + j] = 1;
    adding.value().assign(std::span<double const>{ones});
    adding.set_trainable(false);
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"encoder"}, encoder);
    f(nn::ChildName{"decoder"}, decoder);
    f(nn::ChildName{"adding"}, adding);
  }
};

/// A batch in which each draw of the factors is seen at the middle step of every subset.
struct ToyBatch {
  static constexpr Index draws = 32, rows = draws * subsets;
  Tensor<B> f, t, known, mask, weight;

  ToyBatch(B::Context& context, Objective const& objective, Rng const& rng) {
    auto const drawn = diffusion::normal<B>(context, {draws, factors}, rng).values<double>();
    auto const noise = diffusion::normal<B>(context, {rows, factors}, rng.with_stream(1)).values<double>();
    std::vector<double> fs, ts, knowns, masks(rows * subsets * factors), weights;
    for (std::size_t row = 0; row < rows; ++row) {
      std::size_t const i = row % subsets;
      auto const step = static_cast<std::size_t>(31 + i * 1000 / subsets);
      ts.push_back(static_cast<double>(step));
      for (std::size_t j = 0; j < factors; ++j) {
        double const f_j = drawn[row / subsets * factors + j];
        double const r = schedule.snr()[step] * amplitudes[j] * amplitudes[j];
        fs.push_back(f_j);
        knowns.push_back((r * f_j + std::sqrt(r) * noise[row * factors + j]) / (1 + r));
        masks[(row * subsets + i) * factors + j] = 1;
        double const of_metric = objective.metric == ErrorMetric::plain ? amplitudes[j] * amplitudes[j] : 1;
        weights.push_back(std::sqrt(objective.lambda[step] * of_metric));
      }
    }
    auto const tensor = [&](Index width, std::vector<double> const& values) {
      return Tensor<B>::from(context, {rows, width}, std::span<double const>{values});
    };
    f = tensor(factors, fs);
    t = tensor(1, ts).reshaped({rows});
    known = tensor(factors, knowns);
    mask = tensor(subsets * factors, masks);
    weight = tensor(factors, weights);
  }
};

/// Trains and returns the encoder's matrix, (subsets, factors).
Eigen::MatrixXd trained(Objective const& objective, std::uint64_t steps) {
  B::Context context{{.threads = 1}};
  ToyModel const model{nn::Init<B>{context, 5}};
  train::Adam<B> adam{parameters(model), {.learning_rate = 1e-2}};
  for (std::uint64_t step = 0; step < steps; ++step) {
    if (step == steps * 2 / 3) adam.set_learning_rate(1e-3);
    ToyBatch const batch{context, objective, {.seed = 1, .step = step}};
    Tape<B> tape{context};
    auto const z = model.encoder(tape.input(batch.f));
    auto const noise = diffusion::normal<B>(context, z.shape(), {.seed = 1, .stream = 2, .step = step});
    auto const seen = objective.price > 0 ? ops::add(z, noise) : ops::scale(z, 1);
    auto const revealed = encoder::reveal(partition, seen, batch.t, objective.mode);
    auto const outputs = model.decoder(ops::concat(revealed, batch.known));
    auto const change = ops::linear(ops::select(outputs, batch.mask), model.adding);
    auto const error = ops::multiply(ops::subtract(change, batch.f - batch.known), batch.weight);
    auto const loss =
        ops::linear_combination(1, ops::mean(ops::multiply(error, error)),
                                objective.price / 2 / ToyBatch::rows, ops::sum(ops::multiply(z, z)));
    tape.backward(loss);
    adam.step();
  }
  auto const values = model.encoder.weight().value().values<double>();
  return Eigen::Map<Eigen::Matrix<double, subsets, factors, Eigen::RowMajor> const>{values.data()};
}

/// The share of each factor that the first subsets tell. Of a linear z + n it is 1 - ((1 + E^T E/v)^-1)_jj
/// for f_j, with E the rows of these subsets and v the variance of n.
std::vector<std::vector<double>> told(Eigen::MatrixXd const& encoder, bool noisy) {
  double const variance = noisy ? 1 : 1e-6;
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

std::vector<double> weights_of_x_0(auto const& lambda) {
  std::vector<double> result;
  for (int t = 0; t < 1000; ++t)
    result.push_back(lambda(schedule, t) * schedule.snr()[static_cast<std::size_t>(t)]);
  return result;
}

}  // namespace

TEST_CASE("The published objective finds the greatest factors first") {
  auto const lambda = weights_of_x_0(diffusion::SnrPower{});
  auto const steps = found(told(trained({GradientMode::joint, ErrorMetric::plain, lambda, 0}, 1500), false));
  CAPTURE(steps);
  // The gains of the greatest factors hardly differ, so their order among each other is loose.
  CHECK(eval::spearman_r(amplitudes, steps) < -0.6);
}

TEST_CASE("A whitened error with stopped gradients and a price finds factors when they are lost") {
  // An error of x_0, so that lambda_t SNR = 1.
  double const price = 0.004;
  Objective const objective{GradientMode::stop_preceding, ErrorMetric::whitened,
                            std::vector<double>(1000, 1.0), price};
  auto const prefix = told(trained(objective, 600), true);
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
