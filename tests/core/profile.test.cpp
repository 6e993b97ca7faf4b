#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu.hpp>
#include <diffsiam/core/profile.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

TEST_CASE("A profile notes every operation of its context, forward and backward") {
  using B = backend::Cpu<float>;
  B::Context context{{.threads = 1}};
  auto const x = Tensor<B>::filled(context, {4}, 2);
  auto const twice = [&] {
    Tape<B> tape{context};
    auto const v = tape.variable(x);
    tape.backward(ops::multiply(v, v), x);
  };
  twice();  // nobody listens

  Profile profile;
  context.set_observer(&profile);
  twice();
  twice();
  context.set_observer(nullptr);
  twice();

  REQUIRE(profile.entries().size() == 2);
  double sum = 0;
  for (auto const direction : {Direction::forward, Direction::backward}) {
    auto const entry = profile.entries().at({"multiply", direction});
    CHECK(entry.calls == 2);
    CHECK(entry.seconds > 0);
    sum += entry.seconds;
  }
  CHECK(profile.seconds() == sum);
  profile.reset();
  CHECK(profile.entries().empty());
}

}  // namespace diffsiam::test
