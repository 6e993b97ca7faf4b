// Cases for the operations that losses consist of.
#pragma once

#include <diffsiam/functional/error.hpp>
#include <diffsiam/ops/cross_entropy.hpp>
#include <diffsiam/ops/weighted_error.hpp>
#include <diffsiam/testing/case.hpp>

namespace diffsiam::testing::cases {

/// Calls visit(case) for each of them.
template <class Visit>
void loss(Visit&& visit) {
  visit(op_case("weighted_error, squared", {{3, 2, 4, 2}, {3, 2, 4, 2}}, {{Kind::positive, {3}}},
                [](auto const& prediction, auto const& target, auto const& weights) {
                  return ops::weighted_error(prediction, target, weights);
                }));
  visit(op_case("weighted_error, absolute", {{3, 5}, {3, 5}}, {{Kind::positive, {3}}},
                [](auto const& prediction, auto const& target, auto const& weights) {
                  return ops::weighted_error<functional::AbsoluteError>(prediction, target, weights);
                }));
  visit(op_case("weighted_error, plain target", {{3, 5}}, {{Kind::normal, {3, 5}}, {Kind::positive, {3}}},
                [](auto const& prediction, auto const& target, auto const& weights) {
                  return ops::weighted_error(prediction, target, weights);
                }));
  visit(op_case(
      "softmax_cross_entropy", {{4, 5}}, {{Kind::probabilities, {4, 5}}},
      [](auto const& logits, auto const& targets) { return ops::softmax_cross_entropy(logits, targets); }));
  visit(op_case(
      "softmax_cross_entropy, some targets 0", {{4, 5}}, {{Kind::mask, {4, 5}}},
      [](auto const& logits, auto const& targets) { return ops::softmax_cross_entropy(logits, targets); }));
  visit(op_case(
      "binary_cross_entropy", {{4, 5}}, {{Kind::unit, {4, 5}}},
      [](auto const& logits, auto const& targets) { return ops::binary_cross_entropy(logits, targets); }));
}

}  // namespace diffsiam::testing::cases
