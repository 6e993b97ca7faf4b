// Turns the comparisons of the conformance suite into checks.
#pragma once

#include <iostream>

#include <tests/support/catch.hpp>

#include <diffsiam/testing/conformance.hpp>

namespace diffsiam::test {

inline void require_all(std::vector<testing::Comparison> const& comparisons) {
  CHECK_FALSE(comparisons.empty());
  for (testing::Comparison const& comparison : comparisons) {
    INFO(comparison.name << "; " << comparison.where << "; error " << comparison.error);
    CHECK(comparison.passed());
  }
}

/// Prints what B brings beside the required groups.
template <class B>
void conforms() {
  typename B::Context context{{.threads = 3}};
  auto const comparisons = testing::run_conformance<B>(context);
  std::cout << comparisons.front().name << ": " << comparisons.front().where << '\n';
  require_all(comparisons);
}

}  // namespace diffsiam::test
