// The kernels of GroupNorm, without a GPU: the shapes in whose division among blocks and threads they differ
// from small ones.
#include <string>

#include <tests/conformance/check.hpp>

#include <diffsiam/functional/activation.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/ops/group_norm.hpp>
#include <diffsiam/testing/case.hpp>
#include <diffsiam/testing/stepped_mixed.hpp>

namespace diffsiam::test {

namespace {

constexpr auto modulated = [](Index groups) {
  return [groups](auto const& x, auto const& gamma, auto const& beta, auto const& modulation) {
    return ops::modulated_group_norm<functional::Silu>(x, gamma, beta, modulation, groups);
  };
};

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
