// What the gradient tests do with a case: it passes, and fails when any one derivative is 1 % too large.
#pragma once

#include <tests/support/catch.hpp>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/testing/mutation.hpp>

namespace diffsiam::test {

/// Passed to a table of cases.
struct CheckGradients {
  testing::GradientOptions options{};
  std::size_t most = 1000;  ///< derivatives that are scaled

  template <class Case>
  void operator()(Case const& tested) const {
    using B = backend::Reference<double>;
    INFO(tested.name);
    B::Context context{{.threads = 1}};
    auto const model = tested.template model<B>(context);
    auto const fixed = tested.template constant_tensors<B>(context);
    auto const report =
        testing::check_mutations<B>(context, tested.function(model, fixed),
                                    tested.template variable_tensors<B>(context), options, most, model);
    INFO(report.unchanged.where);
    CHECK(report.unchanged.passed());
    if constexpr (std::tuple_size_v<decltype(tested.variables)> > 0) {
      INFO("scaled by 1.01: " << report.where);
      CHECK(report.scaled > 0);
      CHECK(report.smallest > 1e-6);
    }
  }
};

}  // namespace diffsiam::test
