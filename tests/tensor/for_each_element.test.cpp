#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/updates.hpp>
#include <diffsiam/tensor/for_each_element.hpp>

namespace diffsiam::test {

using B = backend::Cpu<float>;

TEST_CASE("A function changes the elements of the first tensor, whatever the shapes are") {
  B::Context context{{.threads = 1}};
  auto const y = Tensor<B>::filled(context, {2, 2}, 1), x = Tensor<B>::from(context, {4}, {1, 2, 3, 4});
  for_each_element(functional::MultiplyAccumulate{}, y, x, x);
  CHECK(y.values() == std::vector<float>{2, 5, 10, 17});
  CHECK(x.values() == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("The work may be done in another context than that of the tensors") {
  B::Context home{{.threads = 1}}, other{{.threads = 2}};
  auto const y = Tensor<B>::filled(home, {3}, 2);
  for_each_element(other, functional::ScaleInPlace<float>{3}, y);
  CHECK(y.values() == std::vector<float>{6, 6, 6});
}

TEST_CASE("A function is not called for tensors without elements") {
  B::Context context{{.threads = 1}};
  bool called = false;
  for_each_element([&](float&) { called = true; }, Tensor<B>{context, {0}});
  CHECK_FALSE(called);
}

}  // namespace diffsiam::test
