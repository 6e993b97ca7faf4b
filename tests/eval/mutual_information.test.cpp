#include <cmath>

#include <tests/eval/codes.hpp>
#include <tests/support/catch.hpp>

#include <diffsiam/eval/mutual_information.hpp>

using namespace diffsiam;
using namespace diffsiam::eval;
using test::Approx;
using test::contains;
using Ints = std::vector<int>;

TEST_CASE("entropy and information by hand") {
  REQUIRE(discrete_entropy(Ints{0, 1, 0, 1}) == Approx(std::log(2.0)));
  REQUIRE(discrete_entropy(Ints{0, 3, 3, 3}) == Approx(0.25 * std::log(4.0) + 0.75 * std::log(4.0 / 3)));
  REQUIRE(discrete_entropy(Ints{5, 5}) == 0);
  REQUIRE(mutual_information(Ints{0, 1, 0, 1}, Ints{4, 2, 4, 2}) == Approx(std::log(2.0)));
  REQUIRE(mutual_information(Ints{0, 1, 0, 1}, Ints{0, 0, 1, 1}) == Approx(0).margin(1e-15));
  REQUIRE_THROWS_WITH(mutual_information(Ints{0}, Ints{0, 1}),
                      contains("mutual_information: expected 1 values, got 2"));
  REQUIRE_THROWS_WITH(discrete_entropy(Ints{0, -2}), contains("-2 of sample 1"));
  REQUIRE_THROWS_AS(discrete_entropy(Ints{}), ShapeError);
}

TEST_CASE("bins are of equal width, both ends inside") {
  std::vector<float> const values{0, 1, 2, 3, 4, 5, 9.99F, 10};
  REQUIRE(discretise({values, 8, 1}, 0, 5) == Ints{0, 0, 1, 1, 2, 2, 4, 4});
  std::vector<float> const two{7, 0, 7, -1, 7, 1};
  REQUIRE(discretise({two, 3, 2}, 0, 20) == Ints{0, 0, 0});
  REQUIRE(discretise({two, 3, 2}, 1, 20) == Ints{10, 0, 19});
}

TEST_CASE("information of binned dims about a factor is that of scikit-learn") {
  // mutual_info_score(np.digitize(x[:, j], np.histogram(x[:, j], 20)[1][:-1]), y), scikit-learn 1.9.1
  std::vector<double> const expected{0.5498399896651637, 0.5630704021370534, 0.4876089822422601,
                                     0.5582623743056873, 0.5205883818077001};
  test::Reference const data;
  Eigen::MatrixXd const information = information_matrix(data.factored());
  for (Index j = 0; j < data.dims; ++j)
    REQUIRE(information(j, 0) == Approx(expected[static_cast<std::size_t>(j)]).epsilon(1e-12));
  REQUIRE(discrete_entropy(data.levels) == Approx(1.3423770700340407).epsilon(1e-12));
  ThreadPool pool{3};
  REQUIRE(information_matrix(data.factored(), 20, &pool) == information);
  REQUIRE_THROWS_WITH(information_matrix(data.factored(), 1),
                      contains("bins in [2, 4096]") && contains("got 1"));
}
