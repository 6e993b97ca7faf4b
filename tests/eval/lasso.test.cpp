#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/covariance.hpp>
#include <diffsiam/eval/lasso.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;

namespace {

struct Problem {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(5, 5);
  Eigen::VectorXd correlation = Eigen::VectorXd::Zero(5);

  Problem() {
    test::Reference data;
    Eigen::VectorXd const mean = mean_of(data.factored().features);
    Eigen::MatrixXd x(data.count, data.dims);
    Eigen::VectorXd y(data.count);
    for (Index i = 0; i < data.count; ++i) {
      for (Index j = 0; j < data.dims; ++j) x(i, j) = static_cast<double>(data.at(i, j)) - mean[j];
      y[i] = 2 * static_cast<double>(data.at(i, 0)) - static_cast<double>(data.at(i, 3)) +
             (data.levels[static_cast<std::size_t>(i)] == 2 ? 0.25 : 0);
    }
    gram = x.transpose() * x / 60;
    correlation = x.transpose() * (y.array() - y.mean()).matrix() / 60;
  }
};

}  // namespace

TEST_CASE("the lasso's weights are those of scikit-learn") {
  // Lasso(alpha=a, tol=1e-12, max_iter=100000).fit(x - x.mean(0), t - t.mean()).coef_ with
  // t = 2 x[:, 0] - x[:, 3] + .25 (y == 2), scikit-learn 1.9.1
  struct Case {
    double alpha;
    std::vector<double> expected;
  };
  Problem const problem;
  Eigen::VectorXd w = Eigen::VectorXd::Zero(5);
  for (Case const& one : {Case{0.1, {0.9008712511428667, 0, 0, 0, 0}},
                          Case{0.02, {1.7864611226057305, 0, 0, -0.8033656974102488, -0.008630490591229948}},
                          Case{0.003,
                               {1.973808588552091, 0.00761342360461782, 0.04495552406320423,
                                -0.9583052180756773, -0.19577447753231442}}}) {
    Eigen::VectorXd cold = Eigen::VectorXd::Zero(5);
    LassoConfig const config{.alpha = one.alpha, .tolerance = 1e-12};
    REQUIRE(lasso(problem.gram, problem.correlation, w, config));
    REQUIRE(lasso(problem.gram, problem.correlation, cold, config));
    for (Index j = 0; j < 5; ++j) {
      REQUIRE(w[j] == Approx(one.expected[static_cast<std::size_t>(j)]).margin(1e-9));
      REQUIRE(cold[j] == Approx(w[j]).margin(1e-9));
    }
  }
}

TEST_CASE(
    "without a penalty the lasso is least squares, with a great one nothing; dims without variance stay "
    "out") {
  Problem problem;
  Eigen::VectorXd w = Eigen::VectorXd::Ones(5);
  REQUIRE(lasso(problem.gram, problem.correlation, w, {.alpha = 0, .tolerance = 1e-13}));
  REQUIRE((problem.gram * w - problem.correlation).norm() < 1e-10);
  REQUIRE(lasso(problem.gram, problem.correlation, w, {.alpha = 10}));
  REQUIRE(w == Eigen::VectorXd::Zero(5));
  problem.gram.row(2).setZero();
  problem.gram.col(2).setZero();
  REQUIRE(lasso(problem.gram, problem.correlation, w, {.alpha = 0}));
  REQUIRE(w[2] == 0);
}

TEST_CASE("a lasso that cannot be is refused, one cut short says so") {
  Problem const problem;
  Eigen::VectorXd w = Eigen::VectorXd::Zero(5), narrow = Eigen::VectorXd::Zero(4);
  REQUIRE_FALSE(
      lasso(problem.gram, problem.correlation, w, {.alpha = 0, .tolerance = 1e-15, .most_sweeps = 1}));
  REQUIRE_THROWS_WITH(lasso(problem.gram, problem.correlation, narrow),
                      contains("two vectors of 5") && contains("4"));
  REQUIRE_THROWS_AS(lasso(problem.gram, problem.correlation, w, {.alpha = -1}), ConfigError);
  REQUIRE_THROWS_AS(lasso(problem.gram, problem.correlation, w, {.most_sweeps = 0}), ConfigError);
}
