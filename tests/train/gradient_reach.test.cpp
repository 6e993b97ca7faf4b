// Parameters that a gradient does not reach, and those that nobody trains, do not go unnoticed.
#include <string>
#include <utility>
#include <vector>

#include <tests/support/catch.hpp>
#include <tests/train/small_net.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/testing/gradient_check.hpp>
#include <diffsiam/train/sgd.hpp>
#include <diffsiam/train/step.hpp>

using namespace diffsiam;
using namespace diffsiam::test;
using train::MicroBatch;

namespace {

using B = backend::Reference<double>;

}  // namespace

TEST_CASE("A step tells which parameters its gradient has not reached", "[train][step]") {
  B::Context context;
  auto const weight = [&](double value) {
    return OneWeight<B>{Parameter<B>(Tensor<B>::filled(context, {1, 1}, value))};
  };
  OneWeight<B> const taped = weight(2), plain = weight(3), unused = weight(4), frozen = weight(5),
                     late = weight(6);
  nn::ParameterList<B> list;
  list.add(taped, "taped");
  list.add(plain, "plain");
  list.add(unused, "unused");
  list.add(frozen, "frozen");
  list.add(late, "late");
  nn::freeze(frozen);
  train::Sgd<B> sgd{list};
  train::TrainStep step{sgd, {.accumulate = 2}};
  auto const x = Tensor<B>::filled(context, {1, 1}, 1);
  bool everything = false;
  auto const loss = [&](Tape<B>& tape, MicroBatch const& at) {
    auto const y = ops::linear(tape.input(x), taped.weight);
    // Nothing is remembered of a plain tensor's way.
    auto const z = ops::linear(x, plain.weight);
    (void)ops::linear(tape.input(x), unused.weight);  // met, but the loss does not depend on it
    auto total = ops::sum(ops::linear(y, frozen.weight)) + tape.input(ops::sum(z));
    if (at.index == 1 || everything) total = total + ops::sum(ops::linear(y, late.weight));
    if (everything)
      total = total + ops::sum(ops::linear(tape.input(x), plain.weight)) +
              ops::sum(ops::linear(y, unused.weight));
    return total;
  };
  CHECK(step(loss).without_gradient == std::vector<std::string>{"plain.weight", "unused.weight"});
  everything = true;
  CHECK(step(loss).without_gradient.empty());
  everything = false;
  CHECK(step(loss).without_gradient == std::vector<std::string>{"plain.weight", "unused.weight"});
}

namespace {

/// A module whose second layer for_each_child does not name.
struct Forgetful {
  using Backend = B;
  Parameter<B> named, forgotten;

  explicit Forgetful(B::Context& context)
      : named(Tensor<B>::filled(context, {3, 3}, 0.5)), forgotten(Tensor<B>::filled(context, {2, 3}, 0.5)) {}
  template <class F>
  void for_each_child(F&& f) const {
    f("named", named);
  }
  [[nodiscard]] Taped<B> operator()(Taped<B> const& x) const {
    return ops::linear(ops::linear(x, named), forgotten);
  }
};

}  // namespace

TEST_CASE("A layer that for_each_child does not name stops the first step", "[train][step]") {
  B::Context context;
  Forgetful const module{context};
  train::Sgd<B> sgd{nn::parameters(module)};
  train::TrainStep step{sgd};
  auto const loss = [&](Tape<B>& tape, MicroBatch const&) {
    return ops::sum(module(tape.input(Tensor<B>::filled(context, {1, 3}, 1))));
  };
  CHECK_THROWS_AS(step(loss), ConfigError);
  CHECK_THROWS_WITH(step(loss), contains("shape (2, 3)") && contains("for_each_child") && contains("Freeze"));
  CHECK(module.named.value().values() == std::vector<double>(9, 0.5));
  CHECK(module.forgotten.gradient().values() == std::vector<double>(6, 0));
  module.forgotten.set_trainable(false);
  CHECK(step(loss).without_gradient.empty());
}

TEST_CASE("The gradient check fails where for_each_child does not name a layer", "[train][step]") {
  B::Context context;
  Forgetful const module{context};
  auto const f = [&](auto const& x) { return module(x); };
  auto const x = random_tensor<B>(context, {2, 3}, Rng{5});
  auto const report = testing::check_gradients<B>(context, f, {x}, {}, module);
  CHECK_FALSE(report.passed(1e300));
  CHECK_THAT(report.where, contains("for_each_child") && contains("another of shape (2, 3)"));
  CHECK(module.named.value().values() == std::vector<double>(9, 0.5));
  // Of inputs alone nothing else is asked.
  CHECK(testing::check_gradients<B>(context, f, {x}).passed());
  module.forgotten.set_trainable(false);
  CHECK(testing::check_gradients<B>(context, f, {x}, {}, module).passed());
}
