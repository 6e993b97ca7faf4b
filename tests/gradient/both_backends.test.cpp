// The check that users are shown must see what is wrong on one backend alone.
#include <tests/support/catch.hpp>

#include <diffsiam/testing/both_backends.hpp>

namespace diffsiam::test {
namespace {

/// y = x, wrong on Cpu in what is asked for.
struct RightOnReferenceAlone {
  static constexpr std::string_view name = "right_on_reference_alone";
  double forward_factor = 1, backward_factor = 1;

  [[nodiscard]] Shape shape(Shapes in) const { return in[0]; }
  [[nodiscard]] double flops(Shapes) const { return 0; }
  template <class B>
  static void add(typename B::Context& context, Tensor<B> const& from, Tensor<B> const& to, double factor) {
    SampleGrid const all{1, 1, from.size()};
    if (std::is_same_v<B, backend::Reference<double>>) factor = 1;
    B::for_each(context, all.grid(), functional::AccumulateScaled<double>{factor}, all.full(to.data()),
                all.full(from.data()));
  }
  template <class B>
  void forward(Forward<B> const& pass) const {
    pass.out.fill(0);
    add<B>(pass.context, pass.in[0], pass.out, forward_factor);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    if (auto const* dx = pass.gradient(0)) add<B>(pass.context, pass.dy, *dx, backward_factor);
  }
};

testing::GradientReport check(RightOnReferenceAlone const& operation) {
  return testing::check_gradients(
      testing::op_case("own", {{3, 5}}, [operation](auto const& x) { return evaluate(operation, x); }));
}

/// An operation whose operand lies: one value for all, that moves along the last extent.
struct Lying : RightOnReferenceAlone {
  template <class B>
  void forward(Forward<B> const& pass) const {
    SampleGrid const all{1, 1, pass.out.size()};
    B::for_each(pass.context, all.grid(), functional::Copy{}, all.full(pass.out.data()),
                Operand<double, 0>{pass.in[0].data(), {0, 0, 0, 0, 1}});
  }
};

}  // namespace

TEST_CASE("The gradient check of a case runs on Reference and on Cpu, and says which is wrong",
          "[gradient]") {
  CHECK(check({}).passed());
  auto const backward = check({.backward_factor = 1.01});
  CHECK_FALSE(backward.passed());
  CHECK_THAT(backward.where, contains("on Cpu, input 0"));
  auto const both = check({.forward_factor = 1.01, .backward_factor = 1.01});
  CHECK_FALSE(both.passed());
  CHECK_THAT(both.where, contains("output on Cpu, entry"));
}

TEST_CASE("An operand whose strides belie its type is refused where it is made", "[gradient]") {
  double x = 0;
  CHECK_THROWS_AS((Operand<double, 0>{&x, {0, 0, 0, 0, 1}}), ShapeError);
  CHECK_THROWS_WITH((Operand<double, 0>{&x, {0, 0, 5, 1, 1}}),
                    contains("Operand: expected a stride of 0 along the last extent") && contains("got 1"));
  CHECK_THROWS_WITH((Operand<double, 1>{&x, {0, 0, 5, 1, 3}}),
                    contains("a stride of 1") && contains("got 3"));
  CHECK(Operand<double, 0>{&x, {0, 0, 5, 1, 0}}.stride[3] == 1);
  CHECK(Operand<double, 1>{&x}.stride[4] == 1);
  auto const lying = testing::op_case("lying", {{3, 5}}, [](auto const& y) { return evaluate(Lying{}, y); });
  CHECK_THROWS_WITH(testing::check_gradients(lying), contains("Operand<T, 0> is repeated"));
}

}  // namespace diffsiam::test
