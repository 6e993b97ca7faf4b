// Values worked out by hand: what the gradient check and the comparison with Reference cannot see, namely
// whether Reference computes what is meant.
#include <cmath>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/attention.hpp>
#include <diffsiam/ops/batch_norm.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/ops/cross_entropy.hpp>
#include <diffsiam/ops/dropout.hpp>
#include <diffsiam/ops/group_norm.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/modulation.hpp>
#include <diffsiam/ops/normalize.hpp>
#include <diffsiam/ops/resample.hpp>
#include <diffsiam/ops/select.hpp>
#include <diffsiam/ops/time_embedding.hpp>
#include <diffsiam/ops/weighted_error.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

using Values = std::vector<double>;

template <class B>
struct Make {
  typename B::Context context{{.threads = 2}};
  Tensor<B> operator()(Shape const& shape, Values const& values) {
    return Tensor<B>::from(context, shape, std::span<double const>(values));
  }
};

template <class B>
void check_values(Tensor<B> const& actual, Shape const& shape, Values const& expected) {
  CHECK(actual.shape() == shape);
  Values const values = actual.template values<double>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    INFO("entry " << i);
    CHECK(values[i] == Approx(expected[i]).epsilon(2e-6).margin(2e-6));
  }
}

TEMPLATE_TEST_CASE("Operations give the values worked out by hand", "", backend::Reference<double>,
                   backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;

  SECTION("conv2d adds bias, pads with zeros, and does not flip the kernel") {
    auto const x = make({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
    auto const w = make({1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    check_values(ops::conv2d(x, w, make({1}, {100})), {1, 2, 3, 1}, {194, 254, 206, 158, 191, 158});
    check_values(ops::conv2d(x, w, {.stride = 2}), {1, 1, 2, 1}, {94, 106});
  }
  SECTION("conv2d weights are (out, kh, kw, in)") {
    auto const x = make({1, 1, 1, 2}, {10, 1});
    check_values(ops::conv2d(x, make({2, 1, 1, 2}, {1, 2, 3, 4})), {1, 1, 1, 2}, {12, 34});
  }
  SECTION("linear is x w^T + b") {
    check_values(ops::linear(make({1, 2}, {10, 1}), make({3, 2}, {1, 2, 3, 4, 5, 6}), make({3}, {7, 8, 9})),
                 {1, 3}, {19, 42, 65});
  }
  SECTION("group_norm normalises over positions and the channels of a group") {
    auto const x = make({1, 1, 2, 4}, {1, 3, 10, 20, 5, 7, 30, 40});
    double const a = 1 / std::sqrt(5), b = 1 / std::sqrt(125);  // variances of 1 3 5 7 and 10 20 30 40
    auto const gamma = make({4}, {1, 1, 1, 2}), beta = make({4}, {0, 0.5, 0, 0});
    check_values(ops::group_norm(x, gamma, beta, 2, 0), {1, 1, 2, 4},
                 {-3 * a, -1 * a + 0.5, -15 * b, -10 * b, a, 3 * a + 0.5, 5 * b, 30 * b});
    // Scale then shift, the activation last.
    auto const modulation = make({1, 8}, {1, 1, 1, 1, 0, 0, 0, 10});
    check_values(ops::modulated_group_norm<functional::Relu>(x, gamma, beta, modulation, 2, 0), {1, 1, 2, 4},
                 {0, -2 * a + 1, 0, 10 - 20 * b, 2 * a, 6 * a + 1, 10 * b, 10 + 60 * b});
  }
  SECTION("group_norm makes beta of a constant group, and NaN of one whose variance is out of range") {
    auto const gamma = make({2}, {1, 2}), beta = make({2}, {3, -4});
    check_values(ops::group_norm(make({1, 2, 1, 2}, {5, 0, 5, 0}), gamma, beta, 2), {1, 2, 1, 2},
                 {3, -4, 3, -4});
    double const huge = sizeof(typename B::Scalar) == 4 ? 1e20 : 1e200;
    auto const y =
        ops::group_norm(make({1, 2, 1, 2}, {huge, 1, -huge, -1}), gamma, beta, 2).template values<double>();
    CHECK(std::isnan(y[0]));
    CHECK(std::isnan(y[2]));
    CHECK(y[1] == Approx(-2).epsilon(1e-4));
    CHECK(y[3] == Approx(-6).epsilon(1e-4));
  }
  SECTION("layer_norm takes each row for itself, with the biased variance") {
    auto const one = make({2}, {1, 1}), zero = make({2}, {0, 0});
    check_values(ops::layer_norm(make({2, 2}, {1, 3, 10, 30}), one, zero, 0), {2, 2}, {-1, 1, -1, 1});
  }
  SECTION("batch_norm moves the running statistics, the variance with Bessel's correction") {
    auto const mean = make({1}, {10}), variance = make({1}, {20});
    auto const y =
        evaluate(ops::BatchNorm<B>{.running_mean = mean, .running_variance = variance, .epsilon = 0},
                 make({4, 1}, {1, 3, 5, 7}), make({1}, {2}), make({1}, {1}));
    double const r = 1 / std::sqrt(5);
    check_values(y, {4, 1}, {1 - 6 * r, 1 - 2 * r, 1 + 2 * r, 1 + 6 * r});
    check_values(mean, {1}, {0.9 * 10 + 0.1 * 4});
    check_values(variance, {1}, {0.9 * 20 + 0.1 * 20.0 / 3});
    auto const z = evaluate(ops::BatchNorm<B>{.running_mean = make({1}, {1}),
                                              .running_variance = make({1}, {4}),
                                              .training = false,
                                              .epsilon = 0},
                            make({1, 1}, {5}), make({1}, {3}), make({1}, {1}));
    check_values(z, {1, 1}, {7});
  }
  SECTION("attention mixes v by softmax of q k / sqrt(width), heads laid out [q k v] each") {
    double const e = std::exp(1), p = e / (e + 1);
    // One head of width 1: q = (1, 0), k = (1, 0), v = (10, 20).
    check_values(ops::attention(make({1, 2, 3}, {1, 1, 10, 0, 0, 20}), 1), {1, 2, 1},
                 {10 * p + 20 * (1 - p), 15});
    // A second head beside it, with equal keys.
    check_values(ops::attention(make({1, 2, 6}, {1, 1, 10, 5, 0, 2, 0, 0, 20, 7, 0, 4}), 2), {1, 2, 2},
                 {10 * p + 20 * (1 - p), 3, 15, 3});
    // Width 4 halves the logits.
    double const q = std::exp(2) / (std::exp(2) + 1);
    check_values(ops::attention(make({1, 2, 12}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0,  //
                                                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
                                1),
                 {1, 2, 4}, {q, 0, 0, 0, 0.5, 0, 0, 0});
  }
  SECTION("resampling repeats pixels, and averages them") {
    auto const x = make({1, 1, 2, 2}, {1, 2, 3, 4});
    auto const large = ops::upsample_nearest(x);
    check_values(large, {1, 2, 4, 2}, {1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4});
    check_values(ops::downsample_mean(large), {1, 1, 2, 2}, {1, 2, 3, 4});
    check_values(ops::downsample_mean(make({1, 2, 2, 1}, {1, 2, 3, 6})), {1, 1, 1, 1}, {3});
  }
  SECTION("concat and slice") {
    auto const y = ops::concat(make({2, 2}, {1, 2, 3, 4}), make({2, 1}, {5, 6}));
    check_values(y, {2, 3}, {1, 2, 5, 3, 4, 6});
    check_values(ops::slice(y, 1, 3), {2, 2}, {2, 5, 4, 6});
  }
  SECTION("exp is 0 far below and infinite far above") {
    double const infinity = std::numeric_limits<double>::infinity();
    check_values(ops::exp(make({5}, {0, 1, -2, -1000, 1000})), {5},
                 {1, std::exp(1), std::exp(-2), 0, infinity});
  }
  SECTION("time_embedding puts cosines before sines") {
    check_values(ops::time_embedding(make({2}, {0, 999}), 4), {2, 4},
                 {1, 1, 0, 0, std::cos(999.0), std::cos(9.99), std::sin(999.0), std::sin(9.99)});
  }
  SECTION("select lets nothing of what is masked through, forward or back") {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    Tape<B> tape{make.context};
    auto const x = tape.variable(make({3}, {1, nan, 3}));
    auto const y = ops::select(x, make({3}, {1, 0, 1}));
    check_values(y.value(), {3}, {1, 0, 3});
    tape.backward(y, make({3}, {5, nan, 7}));
    check_values(x.gradient(), {3}, {5, 0, 7});
  }
  SECTION("compose_modulation applies the first, then the second") {
    // u = 2: ((1 + 1) 2 + 3)(1 + 0.5) + 4 = 14.5 = (1 + 2) 2 + 8.5.
    check_values(ops::compose_modulation(make({1, 2}, {1, 3}), make({1, 2}, {0.5, 4})), {1, 2}, {2, 8.5});
  }
  SECTION("normalize, cosine") {
    check_values(ops::normalize(make({2, 2}, {3, 4, 0, -2})), {2, 2}, {0.6, 0.8, 0, -1});
    check_values(ops::normalize(make({1, 2}, {0, 0})), {1, 2}, {0, 0});
    check_values(ops::mean_cosine_similarity(make({2, 2}, {3, 4, 1, 0}), make({2, 2}, {4, 3, -5, 0})), {},
                 {(0.96 - 1) / 2});
  }
  SECTION("losses are means") {
    auto const p = make({2, 2}, {1, 2, 3, 4}), t = make({2, 2}, {0, 0, 0, 0}), w = make({2}, {1, 10});
    check_values(ops::weighted_error(p, t, w), {}, {(1 + 4 + 90 + 160) / 4.0});
    check_values(ops::weighted_error<functional::AbsoluteError>(t, p, w), {}, {(1 + 2 + 30 + 40) / 4.0});
    check_values(ops::softmax_cross_entropy(make({2, 2}, {0, 0, 0, std::log(3)}), make({2, 2}, {1, 0, 0, 1})),
                 {}, {(std::log(2) + std::log(4.0 / 3)) / 2});
    check_values(ops::binary_cross_entropy(make({2}, {0, 100}), make({2}, {0.3, 0})), {},
                 {(std::log(2) + 100) / 2});
    check_values(ops::softmax_cross_entropy(make({1, 2}, {1000, -1000}), make({1, 2}, {1, 0})), {}, {0});
  }
  SECTION("dropout keeps the mean, drops about p, and repeats with its rng") {
    auto const x = Tensor<B>::filled(make.context, {100, 100}, 1);
    Rng const rng{.seed = 4};
    auto const y = ops::dropout(x, 0.25, rng);
    Index dropped = 0;
    for (double value : y.template values<double>()) {
      dropped += value == 0;
      CHECK((value == 0 || value == Approx(4.0 / 3)));
    }
    CHECK(std::abs(static_cast<double>(dropped) - 2500) < 5 * 43.3);
    CHECK(ops::dropout(x, 0.25, rng).values() == y.values());
    CHECK(ops::dropout(x, 0.25, rng.next()).values() != y.values());
    CHECK(ops::dropout(x, 0, rng).values() == x.values());
  }
}

}  // namespace diffsiam::test
