// Turns the verdicts of the conformance suite into checks.
#pragma once

#include <tests/support/catch.hpp>

#include <diffsiam/testing/conformance.hpp>

namespace diffsiam::test {

inline void require_all(std::vector<testing::Verdict> const& verdicts) {
  CHECK_FALSE(verdicts.empty());
  for (testing::Verdict const& verdict : verdicts) {
    INFO(verdict.name << "; " << verdict.where << "; error " << verdict.error);
    CHECK(verdict.passed());
  }
}

template <class B>
void conforms(testing::Expectations const& expected) {
  typename B::Context context{{.threads = 3}};
  require_all(testing::run_conformance<B>(context, expected));
}

}  // namespace diffsiam::test
