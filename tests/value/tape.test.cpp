#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

using B = backend::Reference<double>;

Tensor<B> tensor(B::Context& context, Shape const& shape, std::vector<double> const& values) {
  return Tensor<B>::from(context, shape, std::span<double const>(values));
}

TEST_CASE("A tape is played once") {
  B::Context context;
  Tape<B> tape{context};
  auto const x = tape.variable(tensor(context, {2}, {3, 4}));
  auto const loss = ops::sum(x * x);
  tape.backward(loss);
  CHECK(x.gradient().values() == std::vector<double>{6, 8});
  CHECK_THROWS_WITH(tape.backward(loss), contains("Tape::backward") && contains("fresh"));
}

TEST_CASE("A loss that is not a scalar is refused, and the tape may still be played") {
  B::Context context;
  Tape<B> tape{context};
  auto const x = tape.variable(tensor(context, {2}, {3, 4}));
  auto const y = x * x;
  CHECK_THROWS_WITH(tape.backward(y), contains("one element") && contains("(2)"));
  CHECK_THROWS_WITH(tape.backward(y, Tensor<B>::zeros(context, {3})), contains("(2)") && contains("(3)"));
  tape.backward(y, tensor(context, {2}, {1, 10}));
  CHECK(x.gradient().values() == std::vector<double>{6, 80});
}

TEST_CASE("The scale of a loss scales all gradients") {
  B::Context context;
  Parameter<B> const w{tensor(context, {1, 2}, {5, 6})};
  Tape<B> tape{context};
  auto const x = tape.variable(tensor(context, {1, 2}, {3, 4}));
  tape.backward(ops::sum(ops::linear(x, w)), 0.5);
  CHECK(x.gradient().values() == std::vector<double>{2.5, 3});
  CHECK(w.gradient().values() == std::vector<double>{1.5, 2});
}

TEST_CASE("Gradients of parameters accumulate from tape to tape") {
  B::Context context;
  Parameter<B> const w{tensor(context, {1, 2}, {5, 6})};
  for (int step = 1; step <= 3; ++step) {
    Tape<B> tape{context};
    tape.backward(ops::sum(ops::linear(tape.input(tensor(context, {1, 2}, {3, 4})), w)));
    CHECK(w.gradient().values() == std::vector<double>{3.0 * step, 4.0 * step});
  }
}

TEST_CASE("A value that is used twice receives both gradients") {
  B::Context context;
  Tape<B> tape{context};
  auto const x = tape.variable(tensor(context, {1}, {3}));
  auto const y = x * x;
  tape.backward(ops::sum(y * x + y));  // x^3 + x^2
  CHECK(x.gradient().values() == std::vector<double>{33});
}

TEST_CASE("detach blocks the gradient and keeps the value") {
  B::Context context;
  Tape<B> tape{context};
  auto const x = tape.variable(tensor(context, {1}, {3}));
  auto const fixed = detach(x * x);
  CHECK(fixed.value().values() == std::vector<double>{9});
  CHECK(fixed.node() == nullptr);
  tape.backward(ops::sum(fixed * x));
  CHECK(x.gradient().values() == std::vector<double>{9});
  auto const plain = tensor(context, {1}, {2});
  CHECK(detach(plain).data() == plain.data());
}

TEST_CASE("A plain value beside a taped one is taped, without a gradient of its own") {
  B::Context context;
  Tape<B> tape{context};
  auto const plain = tensor(context, {2}, {3, 4});
  auto const x = tape.variable(tensor(context, {2}, {1, 2}));
  auto const y = plain * x;
  static_assert(std::is_same_v<decltype(y), Taped<B> const>);
  static_assert(std::is_same_v<decltype(plain * plain), Tensor<B>>);
  tape.backward(ops::sum(y));
  CHECK(x.gradient().values() == std::vector<double>{3, 4});
  CHECK_FALSE(tape.input(plain).gradient());
}

TEST_CASE("What nothing flows back to is not recorded") {
  B::Context context;
  Parameter<B> const w{tensor(context, {1, 2}, {5, 6})};
  w.set_trainable(false);
  Tape<B> tape{context};
  auto const y = ops::sum(ops::silu(ops::linear(tape.input(tensor(context, {1, 2}, {3, 4})), w)));
  CHECK(y.node() == nullptr);
  tape.backward(y);
}

TEST_CASE("A frozen parameter records nothing, but lets gradients through") {
  B::Context context;
  Parameter<B> const w{tensor(context, {1, 2}, {5, 6})};
  w.gradient().fill(1);
  w.set_trainable(false);
  std::size_t const before = context.memory().live_bytes();
  Tape<B> tape{context};
  auto const x = tape.variable(tensor(context, {1, 2}, {3, 4}));
  tape.backward(ops::sum(ops::linear(x, w)));
  CHECK(x.gradient().values() == std::vector<double>{5, 6});
  CHECK(context.memory().live_bytes() > before);
  w.set_trainable(true);
  CHECK(w.gradient().values() == std::vector<double>{0, 0});
}

TEST_CASE("Backward frees what was recorded on the way, and the tape the rest") {
  using C = backend::Cpu<float>;
  C::Context context{{.threads = 2}};
  Tensor<C> const start = Tensor<C>::filled(context, {64, 64}, 0.5F);
  std::size_t const before = context.memory().live_bytes();
  std::size_t const one = static_cast<std::size_t>(start.size()) * sizeof(float);
  {
    Tape<C> tape{context};
    auto const x = tape.variable(start);
    auto y = ops::silu(x);
    for (int i = 0; i < 10; ++i) y = ops::silu(y * y);
    auto const loss = ops::sum(y);
    CHECK(context.memory().live_bytes() > before + 20 * one);
    y = x;  // the last handle outside the tape
    tape.backward(loss);
    // The gradient of x, and scalars.
    CHECK(context.memory().live_bytes() < before + 2 * one);
    CHECK(x.gradient().shape() == start.shape());
  }
  CHECK(context.memory().live_bytes() == before);
}

TEST_CASE("A tape that is never played is freed, too, however long") {
  B::Context context;
  std::size_t const before = context.memory().live_bytes();
  {
    Tape<B> tape{context};
    auto y = tape.variable(tensor(context, {1}, {1e-9}));
    for (int i = 0; i < 200000; ++i) y = ops::scale(y, 1);
  }
  CHECK(context.memory().live_bytes() == before);
}

TEST_CASE("Values of two tapes do not mix") {
  B::Context context;
  Tape<B> tape{context}, other{context};
  auto const x = tape.variable(tensor(context, {1}, {3}));
  auto const y = other.variable(tensor(context, {1}, {3}));
  CHECK_THROWS_WITH(x * y, contains("one tape"));
}

TEST_CASE("Streams of a tape differ from each other and repeat from tape to tape") {
  B::Context context;
  Tape<B> tape{context, {.rng = {.seed = 7, .stream = 2, .step = 5}}};
  Tape<B> again{context, {.rng = {.seed = 7, .stream = 2, .step = 5}}};
  Rng const first = tape.draw_stream(), second = tape.draw_stream();
  CHECK(first.words(0) != second.words(0));
  CHECK(again.draw_stream().words(0) == first.words(0));
  CHECK(first.step == 5);
}

TEST_CASE("raised_to puts a plain value on the tape of another, so that weights are recorded") {
  B::Context context;
  Parameter<B> const w{tensor(context, {1, 2}, {5, 6})};
  Tape<B> tape{context};
  auto const x = tape.variable(tensor(context, {1, 1}, {2}));
  tape.backward(ops::sum(x * ops::linear(raised_to(tensor(context, {1, 2}, {3, 4}), x), w)));
  CHECK(w.gradient().values() == std::vector<double>{6, 8});
  auto const plain = tensor(context, {1}, {1});
  CHECK(raised_to(plain, plain).data() == plain.data());
}

}  // namespace diffsiam::test
