#include <tests/loss/unit_rows.hpp>
#include <tests/support/values.hpp>

#include <diffsiam/loss/simsiam.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("SimSiam is the mean of two cosines, and projections get no gradient", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  Make<TestType> make;
  Tape<TestType> tape{make.context};
  auto const p_1 = tape.variable(make({1, 2}, {3, 4})), p_2 = tape.variable(make({1, 2}, {1, 0}));
  auto const z_1 = tape.variable(make({1, 2}, {-5, 0})), z_2 = tape.variable(make({1, 2}, {4, 3}));
  auto const y = loss::SimSiam{}(p_1, p_2, z_1, z_2);
  check_values(y.value(), {}, {-(0.96 - 1) / 2});  // cos(p_1, z_2) = .96, cos(p_2, z_1) = -1
  tape.backward(y);
  // -1/2 (z_2/|z_2| - .96 p_1/|p_1|)/|p_1|
  check_values(p_1.gradient(), {1, 2}, {-0.0224, 0.0168});
  check_values(p_2.gradient(), {1, 2}, {0, 0});
  for (auto const& z : {z_1, z_2}) CHECK(!z.gradient().data());
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
