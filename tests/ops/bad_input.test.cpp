// Every operation refuses what does not fit, and says what it is, what it expected, and what came.
#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/attention.hpp>
#include <diffsiam/ops/batch_norm.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/ops/cross_entropy.hpp>
#include <diffsiam/ops/dropout.hpp>
#include <diffsiam/ops/group_norm.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/lookup.hpp>
#include <diffsiam/ops/modulation.hpp>
#include <diffsiam/ops/normalize.hpp>
#include <diffsiam/ops/resample.hpp>
#include <diffsiam/ops/reshape.hpp>
#include <diffsiam/ops/samples.hpp>
#include <diffsiam/ops/select.hpp>
#include <diffsiam/ops/time_embedding.hpp>
#include <diffsiam/ops/weighted_error.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::test {

/// Makes tensors of 1s.
struct Ones {
  backend::Reference<double>::Context context{{.threads = 1}};
  Tensor<backend::Reference<double>> operator()(Shape const& shape) {
    return Tensor<backend::Reference<double>>::filled(context, shape, 1);
  }
};

#define CHECK_REFUSED(expression, exception, operation, expected, actual)                          \
  do {                                                                                             \
    CHECK_THROWS_AS(expression, exception);                                                        \
    CHECK_THROWS_WITH(expression,                                                                  \
                      contains(operation ": expected") && contains(expected) && contains(actual)); \
  } while (false)

TEST_CASE("Arithmetic refuses shapes that differ") {
  Ones ones;
  CHECK_REFUSED(ones({2, 3}) + ones({3, 2}), ShapeError, "add", "(2, 3)", "(3, 2)");
  CHECK_REFUSED(ones({2, 3}) - ones({2, 4, 1}), ShapeError, "subtract", "(2, 3)", "(2, 4, 1)");
  CHECK_REFUSED(ops::linear_combination(2, ones({2, 3}), 3, ones({2})), ShapeError, "linear_combination",
                "(2, 3)", "(2)");
  CHECK_REFUSED(ones({2, 3}) * ones({2}), ShapeError, "multiply", "(2, 3)", "(2)");
  CHECK_REFUSED(ones({2, 3}) / ones({2}), ShapeError, "divide", "(2, 3)", "(2)");
  CHECK_REFUSED(ones({3}) * ones({2}), ShapeError, "multiply", "(3)", "(2)");
  CHECK_REFUSED(ops::sum(ones({0, 3})), ShapeError, "sum", "at least one element", "(0, 3)");
}

TEST_CASE("Convolutions refuse kernels and images that do not fit") {
  Ones ones;
  CHECK_REFUSED(ops::conv2d(ones({2, 4, 4, 3}), ones({5, 3, 3, 2})), ShapeError, "conv2d", "2 channels",
                "(2, 4, 4, 3)");
  CHECK_REFUSED(ops::conv2d(ones({2, 3, 4, 4}), ones({5, 3, 3, 3})), ShapeError, "conv2d", "(n, c, h, w)",
                "(2, 3, 4, 4)");
  CHECK_REFUSED(ops::conv2d(ones({2, 4, 3}), ones({5, 3, 3, 3})), ShapeError, "conv2d", "rank 4",
                "(2, 4, 3)");
  CHECK_REFUSED(ops::conv2d(ones({2, 4, 4, 3}), ones({5, 27})), ShapeError, "conv2d", "(out, k, k, in)",
                "(5, 27)");
  CHECK_REFUSED(ops::conv2d(ones({2, 4, 4, 3}), ones({5, 2, 2, 3})), ShapeError, "conv2d", "odd side",
                "(5, 2, 2, 3)");
  CHECK_REFUSED(ops::conv2d(ones({2, 4, 4, 3}), ones({5, 3, 1, 3})), ShapeError, "conv2d", "square",
                "(5, 3, 1, 3)");
  CHECK_REFUSED(ops::conv2d(ones({2, 4, 4, 3}), ones({5, 3, 3, 3}), ones({4})), ShapeError, "conv2d", "(5)",
                "(4)");
  CHECK_REFUSED(ops::conv2d(ones({2, 4, 4, 3}), ones({5, 3, 3, 3}), {.stride = 0}), ConfigError, "conv2d",
                "stride of at least 1", "0");
}

TEST_CASE("Products refuse extents that do not meet") {
  Ones ones;
  CHECK_REFUSED(ops::linear(ones({4, 3}), ones({5, 2})), ShapeError, "linear", "last extent of 2", "(4, 3)");
  CHECK_REFUSED(ops::linear(ones({4, 3}), ones({3})), ShapeError, "linear", "(out, in)", "(3)");
  CHECK_REFUSED(ops::linear(ones({4, 3}), ones({5, 3}), ones({3})), ShapeError, "linear", "(5)", "(3)");
  CHECK_REFUSED(ops::linear(ones({4, 0}), ones({5, 0})), ShapeError, "linear", "at least one input",
                "(5, 0)");
  CHECK_REFUSED(ops::linear(ones({}), ones({5, 3})), ShapeError, "linear", "last extent of 3", "()");
  CHECK_REFUSED(ops::attention(ones({2, 3, 10}), 1), ShapeError, "attention", "3 c channels", "(2, 3, 10)");
  CHECK_REFUSED(ops::attention(ones({2, 3, 12}), 3), ShapeError, "attention", "3 heads", "(2, 3, 12)");
  CHECK_REFUSED(ops::attention(ones({2, 3, 12}), 0), ShapeError, "attention", "0 heads", "(2, 3, 12)");
  CHECK_REFUSED(ops::attention(ones({2, 12}), 1), ShapeError, "attention", "(n, ..., 3 c)", "(2, 12)");
}

TEST_CASE("Normalisations refuse groups that do not divide and tables of another width") {
  Ones ones;
  CHECK_REFUSED(ops::group_norm(ones({2, 3, 6}), ones({6}), ones({6}), 4), ConfigError, "group_norm",
                "4 groups", "6 channels");
  CHECK_REFUSED(ops::group_norm(ones({2, 3, 6}), ones({6}), ones({6}), 0), ConfigError, "group_norm",
                "0 groups", "6 channels");
  CHECK_REFUSED(ops::group_norm(ones({2, 3, 6}), ones({3}), ones({6}), 2), ShapeError, "group_norm", "(6)",
                "(3)");
  CHECK_REFUSED(ops::group_norm(ones({2, 3, 6}), ones({6}), ones({1, 6}), 2), ShapeError, "group_norm", "(6)",
                "(1, 6)");
  CHECK_REFUSED(ops::group_norm(ones({6}), ones({6}), ones({6}), 2), ShapeError, "group_norm", "(n, ..., c)",
                "(6)");
  CHECK_REFUSED(ops::modulated_group_norm(ones({2, 3, 6}), ones({6}), ones({6}), ones({2, 6}), 2), ShapeError,
                "group_norm", "(2, 12)", "(2, 6)");
  CHECK_REFUSED(ops::layer_norm(ones({2, 0}), ones({0}), ones({0})), ShapeError, "group_norm", "(n, ..., c)",
                "(2, 0)");
  // A group of one value: of pictures of one pixel, of features, of rows.
  CHECK_REFUSED(ops::group_norm(ones({2, 1, 1, 6}), ones({6}), ones({6}), 6), ShapeError, "group_norm",
                "two values or more in each of 6 groups", "(2, 1, 1, 6)");
  CHECK_REFUSED(ops::group_norm(ones({2, 6}), ones({6}), ones({6}), 6), ShapeError, "group_norm",
                "two values or more", "(2, 6)");
  CHECK_REFUSED(ops::layer_norm(ones({2, 3, 1}), ones({1}), ones({1})), ShapeError, "group_norm",
                "two values or more", "(2, 3, 1)");
  CHECK(ops::group_norm(ones({2, 2, 1, 6}), ones({6}), ones({6}), 6).shape() == Shape{2, 2, 1, 6});
  auto const batch_norm = [&](Shape const& x, Shape const& gamma, Shape const& mean, Shape const& variance) {
    return evaluate(ops::BatchNorm<backend::Reference<double>>{.running_mean = ones(mean),
                                                               .running_variance = ones(variance)},
                    ones(x), ones(gamma), ones(gamma));
  };
  CHECK_REFUSED(batch_norm({1, 3}, {3}, {3}, {3}), ShapeError, "batch_norm", "two values a channel",
                "(1, 3)");
  CHECK_REFUSED(batch_norm({4, 0}, {0}, {0}, {0}), ShapeError, "batch_norm", "two values a channel",
                "(4, 0)");
  CHECK_REFUSED(batch_norm({4, 3}, {2}, {3}, {3}), ShapeError, "batch_norm", "(3)", "(2)");
  CHECK_REFUSED(batch_norm({4, 3}, {3}, {2}, {3}), ShapeError, "batch_norm", "(3)", "(2)");
  CHECK_REFUSED(batch_norm({4, 3}, {3}, {3}, {2}), ShapeError, "batch_norm", "(3)", "(2)");
  CHECK_REFUSED(ops::normalize(ones({})), ShapeError, "normalize", "(..., d)", "()");
  CHECK_REFUSED(ops::mean_cosine_similarity(ones({2, 3, 4}), ones({2, 3, 4})), ShapeError,
                "mean_cosine_similarity", "(n, d)", "(2, 3, 4)");
}

TEST_CASE("What moves elements refuses what is not there") {
  Ones ones;
  CHECK_REFUSED(ops::concat(ones({2, 3}), ones({3, 3})), ShapeError, "concat", "last extent only", "(3, 3)");
  CHECK_REFUSED(ops::concat(ones({2, 3}), ones({3})), ShapeError, "concat", "last extent only", "(3)");
  CHECK_REFUSED(ops::concat(ones({}), ones({})), ShapeError, "concat", "last extent only", "()");
  CHECK_REFUSED(ops::slice(ones({2, 3}), 1, 4), ShapeError, "slice", "(2, 3)", "1 .. 4");
  CHECK_REFUSED(ops::slice(ones({2, 3}), 2, 2), ShapeError, "slice", "(2, 3)", "2 .. 2");
  CHECK_REFUSED(ops::samples(ones({2, 3}), -1, 2), ShapeError, "samples", "(2, 3)", "-1 .. 2");
  CHECK_REFUSED(ops::reshape(ones({2, 3}), {5}), ShapeError, "reshape", "6 elements", "(5)");
  CHECK_REFUSED(ops::select(ones({2, 3}), ones({2})), ShapeError, "select", "(2, 3)", "(2)");
  CHECK_REFUSED(ops::upsample_nearest(ones({2, 3})), ShapeError, "upsample_nearest", "(n, h, w, c)",
                "(2, 3)");
  CHECK_REFUSED(ops::downsample_mean(ones({2, 3, 4, 1})), ShapeError, "downsample_mean", "even sides",
                "(2, 3, 4, 1)");
  CHECK_REFUSED(ops::downsample_mean(ones({2, 4, 3, 1})), ShapeError, "downsample_mean", "even sides",
                "(2, 4, 3, 1)");
  CHECK_REFUSED(ops::compose_modulation(ones({2, 4}), ones({2, 6})), ShapeError, "compose_modulation",
                "(2, 4)", "(2, 6)");
  CHECK_REFUSED(ops::compose_modulation(ones({2, 3}), ones({2, 3})), ShapeError, "compose_modulation",
                "(n, 2 c)", "(2, 3)");
  CHECK_REFUSED(ops::dropout(ones({2}), 1.0, Rng{}), ConfigError, "dropout", "0 <= p < 1", "got 1");
  CHECK_REFUSED(ops::dropout(ones({2}), -0.5, Rng{}), ConfigError, "dropout", "0 <= p < 1", "-0.5");
}

TEST_CASE("Losses and embeddings refuse targets, weights and steps that do not fit") {
  Ones ones;
  CHECK_REFUSED(ops::weighted_error(ones({2, 3}), ones({2, 4}), ones({2})), ShapeError, "weighted_error",
                "(2, 3)", "(2, 4)");
  CHECK_REFUSED(ops::weighted_error(ones({2, 3}), ones({2, 3}), ones({3})), ShapeError, "weighted_error",
                "(2)", "(3)");
  CHECK_REFUSED(ops::weighted_error(ones({0, 3}), ones({0, 3}), ones({0})), ShapeError, "weighted_error",
                "at least one element", "(0, 3)");
  CHECK_REFUSED(ops::softmax_cross_entropy(ones({2, 3}), ones({2})), ShapeError, "softmax_cross_entropy",
                "(2, 3)", "(2)");
  CHECK_REFUSED(ops::softmax_cross_entropy(ones({3}), ones({3})), ShapeError, "softmax_cross_entropy",
                "(n, classes)", "(3)");
  CHECK_REFUSED(ops::binary_cross_entropy(ones({2, 3}), ones({3, 2})), ShapeError, "binary_cross_entropy",
                "(2, 3)", "(3, 2)");
  CHECK_REFUSED(ops::time_embedding(ones({2, 1}), 4), ShapeError, "time_embedding", "(n)", "(2, 1)");
  CHECK_REFUSED(ops::time_embedding(ones({2}), 5), ConfigError, "time_embedding", "even", "5");
  std::vector<double> const table(1);
  CHECK_REFUSED(ops::lookup<backend::Reference<double>>(table, ones({2})), RangeError, "lookup", "[0, 1)",
                "got 1");
}

}  // namespace diffsiam::test
