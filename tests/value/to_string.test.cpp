#include <limits>

#include <tests/support/values.hpp>

#include <diffsiam/backend/dry/dry_run.hpp>
#include <diffsiam/value/to_string.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;

TEST_CASE("A tensor is shown as its shape and nested rows of one width") {
  Make<B> make;
  CHECK(to_string(make({2, 2}, {1, 0.5, -2, 100})) == "(2, 2)\n[[  1 0.5]\n [ -2 100]]");
  CHECK(to_string(make({3}, {1, 2.00004, 3e-9})) == "(3)\n[    1     2 3e-09]");
  CHECK(to_string(make({2, 1, 2}, {1, 2, 3, 4})) == "(2, 1, 2)\n[[[1 2]]\n\n [[3 4]]]");
  CHECK(to_string(make({}, {7})) == "()\n7");
  CHECK(to_string(make({0, 3}, {})) == "(0, 3)\n[]");
  CHECK(to_string(make({2}, {std::numeric_limits<double>::infinity(), -1})) == "(2)\n[inf  -1]");
  CHECK(to_string(make({1}, {1.0 / 3}), {.digits = 2}) == "(1)\n[0.33]");
}

TEST_CASE("A big tensor is shown by its edges") {
  Make<B> make;
  Values counted(40);
  for (std::size_t i = 0; i < counted.size(); ++i) counted[i] = static_cast<double>(i);
  auto const x = make({2, 20}, counted);
  CHECK(to_string(x, {.most_whole = 30, .edge = 2}) == "(2, 20)\n[[ 0  1 ... 18 19]\n [20 21 ... 38 39]]");
  CHECK(to_string(x.reshaped({20, 2}), {.most_whole = 30, .edge = 1}) ==
        "(20, 2)\n[[ 0  1]\n ...\n [38 39]]");
  CHECK(to_string(x).find("...") == std::string::npos);
}

TEST_CASE("Values on a tape are shown, and what has none says so") {
  Make<B> make;
  Tape<B> tape{make.context};
  CHECK(to_string(tape.input(make({1}, {2}))) == "(1)\n[2]");
  CHECK(to_string(Tensor<B>{}) == "no tensor");
  backend::DryContext dry;
  CHECK(to_string(Tensor<backend::DryRun<B>>{dry, {2, 3}}) == "(2, 3) of a dry run, without values");
}

}  // namespace diffsiam::test
