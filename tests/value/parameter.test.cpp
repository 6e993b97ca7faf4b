#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/value/parameter.hpp>

namespace diffsiam::test {

using B = backend::Reference<double>;

TEST_CASE("Copies of a parameter share value, gradient and whether it is trained") {
  B::Context context;
  Parameter<B> const w{Tensor<B>::filled(context, {2}, 3)};
  Parameter<B> const copy = w;
  CHECK(copy.same_as(w));
  CHECK_FALSE(copy.same_as(Parameter<B>{w.value()}));
  copy.gradient().fill(2);
  CHECK(w.gradient().values() == std::vector<double>{2, 2});
  copy.set_trainable(false);
  CHECK_FALSE(w.trainable());
  CHECK_FALSE(Parameter<B>{});
}

TEST_CASE("A gradient is zero at first and takes memory only when asked for") {
  B::Context context;
  Parameter<B> const w{Tensor<B>::filled(context, {100}, 3)};
  std::size_t const before = context.memory().live_bytes();
  CHECK(w.gradient().values() == std::vector<double>(100, 0));
  CHECK(context.memory().live_bytes() > before);
  w.set_trainable(false);
  CHECK(context.memory().live_bytes() == before);
}

TEST_CASE("A buffer moves when its proposal is committed, and not when it is thrown away") {
  B::Context context;
  Buffer<B> const mean{Tensor<B>::filled(context, {1}, 1)};
  CHECK_FALSE(mean.proposed());
  mean.proposal().fill(5);
  CHECK(mean.proposed());
  CHECK(mean.value().item() == 1);
  mean.discard();
  mean.commit();
  CHECK(mean.value().item() == 1);
  CHECK(mean.proposal().item() == 1);  // starts from the value again
  mean.proposal().fill(7);
  CHECK(mean.proposal().item() == 7);  // and goes on from what was proposed
  mean.commit();
  CHECK(mean.value().item() == 7);
  CHECK_FALSE(mean.proposed());
}

}  // namespace diffsiam::test
