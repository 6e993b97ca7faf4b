#include <regex>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/testing/gradient_check.hpp>

namespace diffsiam::test {

TEST_CASE("the report of a gradient check shows gradients of any size to ten digits", "[gradient]") {
  using B = backend::Reference<double>;
  B::Context context{{.threads = 1}};
  for (double const value : {1e-9, 1.0 / 3, 1e9}) {
    CAPTURE(value);
    auto const x = Tensor<B>::filled(context, {1}, value);
    auto const report =
        testing::check_gradients<B>(context, [](auto const& v) { return ops::multiply(v, v); }, {x});
    CAPTURE(report.where);
    // Ten significant digits, fewer where the last ones are zero.
    std::regex const shown{R"(input 0\[0\]: (\S+) on the tape, (\S+) by differences)"};
    std::smatch found;
    REQUIRE(std::regex_match(report.where, found, shown));
    double const taped = std::stod(found[1]), by_differences = std::stod(found[2]);
    CHECK(taped != 0);
    CHECK(by_differences == Approx(taped).epsilon(1e-6));
    // A third has no end: its digits are all there.
    if (value < 1 && value > 0.1) CHECK(found[1].length() >= 11);
  }
}

}  // namespace diffsiam::test
