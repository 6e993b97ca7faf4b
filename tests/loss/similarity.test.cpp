// NT-Xent and SimSiam on rows and temperatures at the ends of the range.
#include <tests/loss/extreme_rows.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/loss/nt_xent.hpp>
#include <diffsiam/loss/simsiam.hpp>

namespace diffsiam::test {
namespace {

Exact dot(std::vector<Exact> const& a, std::vector<Exact> const& b) {
  Exact sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

/// Rows of length 1, and their inverse lengths; rows of zeros stay zeros.
struct Unit {
  ExactRows rows;
  std::vector<Exact> inverse;

  explicit Unit(ExactRows of) : rows(std::move(of)) {
    for (auto& row : rows) {
      Exact const length = std::sqrt(dot(row, row));
      inverse.push_back(length > 0 ? 1 / length : 0);
      for (Exact& x : row) x *= inverse.back();
    }
  }
  /// From the gradient of row i to that before the division by its length, times that length.
  [[nodiscard]] std::vector<Exact> back(std::size_t i, std::vector<Exact> gradient) const {
    Exact const inner = dot(gradient, rows[i]);
    for (std::size_t j = 0; j < gradient.size(); ++j)
      gradient[j] = inverse[i] > 0 ? gradient[j] - rows[i][j] * inner : 0;
    return gradient;
  }
};

/// The gradient of row i, in units of the row's inverse length, is `exact` within `bound`. That of zeros is
/// 0.
template <class T>
void check_row_gradient(std::vector<double> const& gradient, std::size_t i, Unit const& unit,
                        std::vector<Exact> const& exact, Exact bound) {
  for (std::size_t j = 0; j < exact.size(); ++j) {
    CAPTURE(i, j);
    double const actual = gradient[i * exact.size() + j];
    CHECK(std::isfinite(actual));
    Exact const length = unit.inverse[i] > 0 ? 1 / unit.inverse[i] : 1;
    check_near<T>(static_cast<double>(static_cast<Exact>(actual) * length), exact[j],
                  unit.inverse[i] > 0 ? bound : 0);
  }
}

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

TEMPLATE_TEST_CASE("SimSiam is right for rows of any magnitude", "", backend::Cpu<float>,
                   backend::Reference<double>) {
  using T = typename TestType::Scalar;
  typename TestType::Context context{{.threads = 2}};
  Exact const bound = 64 * rounding<T>;
  for (Rows const& p : extreme_rows<T>(1))
    for (Rows const& z : extreme_rows<T>(2)) {
      CAPTURE(p.name, z.name);
      Unit const unit_p{p.exact()}, unit_z{z.exact()};
      auto const n = static_cast<Exact>(unit_p.rows.size());
      auto const target = z.tensor<TestType>(context);
      Played<TestType> const played{context, p.tensor<TestType>(context),
                                    [&](auto const& x) { return loss::SimSiam{}(x, x, target, target); }};
      Exact loss = 0;
      for (std::size_t i = 0; i < unit_p.rows.size(); ++i) {
        loss -= dot(unit_p.rows[i], unit_z.rows[i]) / n;
        std::vector<Exact> gradient = unit_z.rows[i];
        for (Exact& g : gradient) g = -g / n;
        check_row_gradient<T>(played.gradient, i, unit_p, unit_p.back(i, gradient), bound);
      }
      check_near<T>(played.loss, loss, bound);
    }
}

}  // namespace diffsiam::test
