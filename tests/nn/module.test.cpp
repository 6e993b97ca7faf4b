#include <tests/nn/weights.hpp>

#include <diffsiam/nn/linear.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/nn/sequential.hpp>

namespace diffsiam::test {

TEMPLATE_TEST_CASE("Parameters are listed once, under both names, and freezing takes them out", "",
                   backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  nn::Init<B> init{make.context, 1};
  nn::Linear<B> const shared{init, {.in = 2, .out = 2}};
  nn::Sequential const model{shared, nn::ReluLayer{}, shared};
  nn::ParameterList<B> list;
  list.add(model, {"encoder"});
  CHECK(list.size() == 6);  // the second use adds nothing
  REQUIRE(list.parameters.size() == 2);
  CHECK(list.parameters[0].name.name == "encoder.0.weight");
  CHECK(nn::parameters(model, shared).size() == 6);
  nn::freeze(model);
  CHECK(nn::parameters(model).size() == 0);
  nn::set_trainable(model, true);
  CHECK(nn::parameters(model).size() == 6);
}

}  // namespace diffsiam::test
