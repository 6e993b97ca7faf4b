// The kernels of GroupNorm and BatchNorm, without a GPU: the shapes in whose division among blocks and
// threads they differ from small ones.
#include <array>
#include <span>
#include <string>
#include <vector>

#include <tests/conformance/check.hpp>

#include <diffsiam/functional/activation.hpp>
#include <diffsiam/ops/batch_norm.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/ops/group_norm.hpp>
#include <diffsiam/testing/case.hpp>
#include <diffsiam/testing/cases/batch_norm.hpp>
#include <diffsiam/testing/stepped_mixed.hpp>

namespace diffsiam::test {

namespace {

using testing::cases::batch_norm_in_evaluation, testing::cases::batch_norm_in_training;

constexpr auto modulated = [](Index groups) {
  return [groups](auto const& x, auto const& gamma, auto const& beta, auto const& modulation) {
    return ops::modulated_group_norm<functional::Silu>(x, gamma, beta, modulation, groups);
  };
};

/// f of a convolution, which is in low precision where it has 16 channels.
constexpr auto after_conv = [](auto f) {
  return [f](auto const& x, auto const& w, auto const&... more) { return f(ops::conv2d(x, w), more...); };
};

/// The running mean and variance after BatchNorm of an image (2, 40, 41, 6).
template <class B>
[[nodiscard]] std::array<std::vector<double>, 2> running_statistics() {
  typename B::Context context;
  auto const drawn = [&](Shape const& shape, std::uint32_t stream) {
    auto const values = testing::draw(testing::Kind::normal, shape, {.seed = 5, .stream = stream});
    return Tensor<B>::from(context, shape, std::span<double const>(values));
  };
  ops::BatchNorm<B> const norm{.running_mean = drawn({6}, 1), .running_variance = drawn({6}, 2)};
  auto const y = evaluate(norm, drawn({2, 40, 41, 6}, 3), drawn({6}, 4), drawn({6}, 5));
  return {norm.running_mean.template values<double>(), norm.running_variance.template values<double>()};
}

}  // namespace

TEST_CASE("GroupNorm of a large image is divided into packs, tiles and chunks, and is still right") {
  using B = testing::Stepped<float>;
  B::Context context;
  testing::Bench<B> bench{context};
  auto const check = [&](std::string const& name, Shape const& x, Index groups) {
    Index const n = x.samples(), c = x.channels();
    testing::check_case(bench, testing::op_case(name, {x, {c}, {c}, {n, 2 * c}}, modulated(groups)));
  };
  check("several chunks", {2, 32, 33, 64}, 32);
  check("rows that do not fill a block", {3, 7, 5, 264}, 33);
  check("more packs than threads, and groups wider than a block", {1, 2, 3, 1040}, 2);
  check("single values in several chunks", {1, 64, 40, 6}, 3);
  require_all(bench.comparisons());
}

TEST_CASE("GroupNorm in 16 bits works on packs of eight in several chunks") {
  using B = testing::SteppedMixed<BFloat16>;
  B::Context context;
  testing::Bench<B> bench{context};
  testing::check_case(
      bench,
      testing::op_case("low-precision group_norm in chunks", {{1, 66, 65, 1}, {16, 1, 1, 1}, {16}, {16}},
                       [](auto const& x, auto const& w, auto const& gamma, auto const& beta) {
                         auto const h = ops::conv2d(x, w);
                         return ops::group_norm<functional::Silu>(h, gamma, beta, 4);
                       }));
  require_all(bench.comparisons());
}

TEST_CASE("A mean much larger than the deviation costs GroupNorm no digits of the variance") {
  using B = testing::Stepped<float>;
  B::Context context;
  testing::Bench<B> bench{context};
  // What remains is the rounding of x itself, 3e-5 of its deviation.
  testing::check_case(bench,
                      testing::op_case("group_norm, 1000 +- 1", {{2, 16, 17, 8}, {8}, {8}},
                                       [](auto const& x, auto const& gamma, auto const& beta) {
                                         return ops::group_norm(x + 1000, gamma, beta, 4);
                                       }),
                      2e-4);
  require_all(bench.comparisons());
}

TEST_CASE("BatchNorm has the statistics of all samples, of few values and of many chunks") {
  using B = testing::Stepped<float>;
  B::Context context;
  testing::Bench<B> bench{context};
  auto const check = [&](std::string const& name, Shape const& x) {
    Index const c = x.channels();
    testing::check_case(bench, testing::op_case("training, " + name, {x, {c}, {c}}, batch_norm_in_training));
    testing::check_case(bench,
                        testing::op_case("evaluation, " + name, {x, {c}, {c}},
                                         {{testing::Kind::normal, {c}}, {testing::Kind::positive, {c}}},
                                         batch_norm_in_evaluation));
  };
  check("features", {37, 24});
  check("more packs than threads", {5, 1040});
  check("several chunks", {2, 32, 33, 64});
  // More than 32 chunks are added by a launch of their own.
  check("many chunks", {3, 64, 67, 64});
  check("many chunks of single values", {3, 200, 129});
  require_all(bench.comparisons());
}

TEMPLATE_TEST_CASE("BatchNorm in 16 bits reads and writes images as they are stored", "", BFloat16, Half) {
  using B = testing::SteppedMixed<TestType>;
  typename B::Context context;
  testing::Bench<B> bench{context};
  for (Shape const& image : {Shape{2, 5, 7, 3}, Shape{1, 66, 65, 3}}) {
    Shape const kernel{16, 1, 1, 3}, channels{16};
    testing::check_case(bench, testing::op_case("training in 16 bits", {image, kernel, channels, channels},
                                                after_conv(batch_norm_in_training)));
    testing::check_case(
        bench, testing::op_case("evaluation in 16 bits", {image, kernel, channels, channels},
                                {{testing::Kind::normal, channels}, {testing::Kind::positive, channels}},
                                after_conv(batch_norm_in_evaluation)));
  }
  require_all(bench.comparisons());
  auto const x = Tensor<B>::low_precision(context, {64, 16});
  x.fill(1);
  auto const one = Tensor<B>::filled(context, {16}, 1.0F), zero = Tensor<B>::zeros(context, {16});
  auto const recorded =
      context.record(nullptr, [&] { CHECK(batch_norm_in_training(x, one, zero).is_low_precision()); });
  // Two launches set the running statistics that `batch_norm_in_training` makes, and two move them.
  CHECK(recorded.size() == 3 + 4);
}

TEST_CASE("BatchNorm moves its running statistics by those of its batch") {
  auto const ours = running_statistics<testing::Stepped<float>>(),
             expected = running_statistics<backend::Reference<double>>();
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t c = 0; c < 6; ++c) CHECK(ours[i][c] == Approx(expected[i][c]).epsilon(1e-5));
}

TEST_CASE("The blocks of a batch of pictures fill a large card, and a thread has several positions each") {
  using backend::cuda::ColumnWalk;
  constexpr Index multiprocessors = 132, width = 8;
  CHECK(ColumnWalk{128, 64 * 64, 64, width}.blocks() >= 4 * multiprocessors);
  CHECK(ColumnWalk{8, 256 * 256, 64, width}.blocks() >= 4 * multiprocessors);
  ColumnWalk const small{128, 8 * 8, 512, width};
  CHECK(small.blocks() == 128);
  CHECK(small.chunk / small.rows == 16);
}

}  // namespace diffsiam::test
