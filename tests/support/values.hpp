// Tensors of values written out, and what is expected of them.
#pragma once

#include <span>
#include <vector>

#include <tests/support/catch.hpp>

#include <diffsiam/backend/cpu/cpu.hpp>
#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

using Values = std::vector<double>;

template <class B>
struct Make {
  typename B::Context context{{.threads = 2}};
  Tensor<B> operator()(Shape const& shape, Values const& values) {
    return Tensor<B>::from(context, shape, std::span<double const>(values));
  }
};

template <class B>
void check_values(Tensor<B> const& actual, Shape const& shape, Values const& expected) {
  CHECK(actual.shape() == shape);
  Values const values = actual.template values<double>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    INFO("entry " << i);
    CHECK(values[i] == Approx(expected[i]).epsilon(2e-6).margin(2e-6));
  }
}

}  // namespace diffsiam::test
