#include <tests/support/values.hpp>

#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/gather_pieces.hpp>
#include <diffsiam/ops/reduce.hpp>

using namespace diffsiam;
using namespace diffsiam::test;

namespace {

using B = backend::Reference<double>;

/// Piece 1 of 2; the other one has the values 10 and 20, and the gradients 100 and 200 for this one.
struct SecondOfTwo final : JointBatch<B> {
  [[nodiscard]] int pieces() const override { return 2; }
  [[nodiscard]] int piece() const override { return 1; }
  [[nodiscard]] bool proposes() const override { return true; }
  void gather(Tensor<B> const& mine, Tensor<B> const& all) override {
    Values const others{10, 20};
    all.samples(0, 2).assign(std::span<double const>(others));
    all.samples(2, 4).assign(mine);
  }
  void add_sum(Tensor<B> const& for_all, Tensor<B> const& mine) override {
    auto values = mine.values();
    auto const given = for_all.values();
    values[0] += 100 + given[2];
    values[1] += 200 + given[3];
    mine.assign(std::span<double const>(values));
  }
};

}  // namespace

TEST_CASE("Pieces see the samples of all, and get the gradients of all", "[ops]") {
  Make<B> make;
  SecondOfTwo joint;
  Tape<B> tape{make.context};
  auto const x = tape.variable(make({2, 1}, {1, 2}));
  auto const all = ops::gather_pieces(x, &joint);
  check_values(all.value(), {4, 1}, {10, 20, 1, 2});
  tape.backward(ops::sum(ops::multiply(all, make({4, 1}, {1, 2, 3, 4}))));
  check_values(x.gradient(), {2, 1}, {103, 204});
}

TEST_CASE("A batch that is not divided is its own", "[ops]") {
  Make<B> make;
  auto const x = make({2, 1}, {1, 2});
  check_values(ops::gather_pieces(x, static_cast<JointBatch<B>*>(nullptr)), {2, 1}, {1, 2});
  SecondOfTwo joint;
  CHECK_THROWS_WITH(ops::gather_pieces(make({}, {1}), static_cast<JointBatch<B>*>(&joint)),
                    contains("gather_pieces: expected (n, ...)"));
}
