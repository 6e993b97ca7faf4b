#include <algorithm>
#include <cmath>

#include <tests/loss/unit_rows.hpp>
#include <tests/support/values.hpp>

#include <diffsiam/loss/nt_xent.hpp>

namespace diffsiam::test {
namespace {

struct ExactNtXent {
  Exact loss = 0;
  ExactRows gradient;  ///< of the rows, times their lengths

  ExactNtXent(Unit const& unit, Exact temperature) {
    auto const& u = unit.rows;
    std::size_t const n = u.size();
    ExactRows of_unit(n, std::vector<Exact>(u[0].size()));
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t const partner = (i + n / 2) % n;
      std::vector<Exact> s(n);
      Exact greatest = -std::numeric_limits<Exact>::infinity(), sum = 0;
      for (std::size_t j = 0; j < n; ++j) {
        s[j] = dot(u[i], u[j]) / temperature;
        if (j != i) greatest = std::max(greatest, s[j]);
      }
      for (std::size_t j = 0; j < n; ++j) sum += j == i ? 0 : std::exp(s[j] - greatest);
      loss += (greatest + std::log(sum) - s[partner]) / static_cast<Exact>(n);
      for (std::size_t j = 0; j < n; ++j) {
        if (j == i) continue;
        Exact const p = std::exp(s[j] - greatest) / sum;
        Exact const ds = (p - (j == partner ? 1 : 0)) / (static_cast<Exact>(n) * temperature);
        for (std::size_t k = 0; k < u[0].size(); ++k) {
          of_unit[i][k] += ds * u[j][k];
          of_unit[j][k] += ds * u[i][k];
        }
      }
    }
    for (std::size_t i = 0; i < n; ++i) gradient.push_back(unit.back(i, of_unit[i]));
  }
};

}  // namespace

TEMPLATE_TEST_CASE("NT-Xent picks the partner among the others, by direction alone", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  Make<TestType> make;
  // Two pictures at a right angle, two equal views each: every row has one logit 1 / temperature, two of 0.
  auto const h = make({4, 2}, {1, 0, 0, 5, 2, 0, 0, 1});
  check_values(loss::NtXent{1}(h), {}, {std::log(1 + 2 * std::exp(-1))});
  check_values(loss::NtXent{0.5}(h), {}, {std::log(1 + 2 * std::exp(-2))});
  // Partners at a right angle instead: each row is next to the one it must not pick.
  check_values(loss::NtXent{1}(make({4, 2}, {1, 0, 1, 0, 0, 1, 0, 1})), {}, {std::log(2 + std::exp(1))});
}

// Logits are cosines / temperature, each within about d + 8 roundings. Gradients are compared where the
// softmax of such logits is well defined, that is from .01 on; below they are finite.
TEMPLATE_TEST_CASE("NT-Xent is right at any temperature, for rows of any magnitude", "", backend::Cpu<float>,
                   backend::Reference<double>) {
  using T = typename TestType::Scalar;
  typename TestType::Context context{{.threads = 2}};
  for (Rows const& rows : extreme_rows<T>(1)) {
    Unit const unit{rows.exact()};
    for (double const temperature : {1e-12, 1e-9, 1e-6, 0.01, 0.5, 1e6}) {
      CAPTURE(rows.name, temperature);
      Exact const inverse = 1 / static_cast<Exact>(temperature);
      ExactNtXent const exact{unit, temperature};
      loss::NtXent const loss{temperature};
      Played<TestType> const played{context, rows.tensor<TestType>(context), loss};
      check_near<T>(played.loss, exact.loss, 64 * rounding<T> * (inverse + 4));
      for (std::size_t i = 0; i < unit.rows.size(); ++i) {
        Exact const bound = temperature < 0.01 ? std::numeric_limits<Exact>::max()
                                               : 64 * rounding<T> * (inverse + 1) * (inverse + 1);
        check_row_gradient<T>(played.gradient, i, unit, exact.gradient[i], bound);
      }
    }
  }
}

TEST_CASE("NT-Xent leaves a row out of its own softmax at a temperature that a finite mask would lose to") {
  backend::Cpu<float>::Context context{{.threads = 1}};
  // Partners are nearest: the loss is 0, unless a row counts itself, which gives .4 / temperature.
  std::vector<float> const h{1, 0, -1, 0, 0.6F, 0.8F, -0.6F, -0.8F};
  auto const x = Tensor<backend::Cpu<float>>::from(context, {4, 2}, std::span{h});
  for (double const temperature : {1e-12, 1e-10, 1e-9, 1e-3}) {
    CAPTURE(temperature);
    CHECK(loss::NtXent{temperature}(x).item() == 0);
  }
}

TEST_CASE("NT-Xent refuses temperatures that are none, or whose inverse the scalar cannot hold") {
  for (double const temperature :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(loss::NtXent{temperature}, ConfigError);
    CHECK_THROWS_WITH(loss::NtXent{temperature}, contains("NtXent") && contains("a positive, finite"));
  }
  backend::Cpu<float>::Context context{{.threads = 1}};
  auto const x = Tensor<backend::Cpu<float>>::filled(context, {4, 2}, 1);
  CHECK_THROWS_AS(loss::NtXent{1e-39}(x), ConfigError);
  CHECK_THROWS_WITH(loss::NtXent{1e-39}(x), contains("inverse") && contains("1 / temperature = 1e+39"));
}

}  // namespace diffsiam::test
