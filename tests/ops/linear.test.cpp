#include <span>
#include <vector>

#include <tests/support/values.hpp>

#include <diffsiam/backend/reference.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/value/plain.hpp>

namespace diffsiam::test {

namespace {

using Plain = backend::Reference<double>;

struct Biasing : Plain {
  inline static int calls = 0;
  static void gemm_with_bias(Context& context, Gemm<double> const& g, double const* bias) {
    ++calls;
    gemm(context, g);
    for (Index i = 0; i < g.m; ++i)
      for (Index j = 0; j < g.n; ++j) g.c.data[i * g.c.leading + j] += bias[j];
  }
};

template <class B>
std::vector<double> result(bool biased) {
  typename B::Context context;
  auto const tensor = [&](Shape const& shape, std::vector<double> const& values) {
    return Tensor<B>::from(context, shape, std::span<double const>(values));
  };
  auto const x = tensor({2, 1, 3}, {1, 2, 3, -1, 0, 4}), w = tensor({2, 3}, {1, 0, 2, -1, 1, 1});
  return biased ? ops::linear(x, w, tensor({2}, {10, 20})).values() : ops::linear(x, w).values();
}

}  // namespace

TEMPLATE_TEST_CASE("linear is x w^T + b", "", backend::Reference<double>, backend::Cpu<float>) {
  using B = TestType;
  Make<B> make;
  check_values(ops::linear(make({1, 2}, {10, 1}), make({3, 2}, {1, 2, 3, 4, 5, 6}), make({3}, {7, 8, 9})),
               {1, 3}, {19, 42, 65});
}

// It is asked to, wherever there is a bias.
TEST_CASE("A linear layer leaves its bias to a product that adds one") {
  static_assert(backend::GemmWithBias<Biasing> && !backend::GemmWithBias<Plain>);
  CHECK(result<Plain>(true) == std::vector<double>{17, 24, 17, 25});
  CHECK(result<Biasing>(true) == result<Plain>(true));
  CHECK(Biasing::calls == 1);
  CHECK(result<Biasing>(false) == std::vector<double>{7, 4, 7, 5});
  CHECK(Biasing::calls == 1);
}

}  // namespace diffsiam::test
