// One table with every operation of ops/ and all its options. Add a new operation to one of the groups; a
// test compares the table with the folder.
#pragma once

#include <diffsiam/testing/cases/arithmetic.hpp>
#include <diffsiam/testing/cases/loss.hpp>
#include <diffsiam/testing/cases/norms.hpp>
#include <diffsiam/testing/cases/product.hpp>

namespace diffsiam::testing::cases {

/// Calls visit(Case) for each case.
template <class Visit>
void operations(Visit&& visit) {
  arithmetic(visit);
  broadcast(visit);
  movement(visit);
  product(visit);
  convolution(visit);
  group_norm(visit);
  other_norm(visit);
  loss(visit);
}

}  // namespace diffsiam::testing::cases
