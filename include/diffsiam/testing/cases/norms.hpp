// Cases for group, layer and batch norm, with everything that may be fused with them, and for normalize.
#pragma once

#include <cmath>

#include <diffsiam/functional/activation.hpp>
#include <diffsiam/ops/group_norm.hpp>
#include <diffsiam/ops/normalize.hpp>
#include <diffsiam/testing/case.hpp>
#include <diffsiam/testing/cases/batch_norm.hpp>

namespace diffsiam::testing::cases {

/// Group norm followed by Act, with and without a modulation.
template <class Act, class Visit>
void group_norm_with(std::string const& act, Visit&& visit) {
  visit(op_case("group_norm, " + act, {{2, 3, 2, 6}, {6}, {6}},
                [](auto const& x, auto const& gamma, auto const& beta) {
                  return ops::group_norm<Act>(x, gamma, beta, 3);
                }));
  visit(op_case("modulated_group_norm, " + act, {{2, 2, 3, 6}, {6}, {6}, {2, 12}},
                [](auto const& x, auto const& gamma, auto const& beta, auto const& modulation) {
                  return ops::modulated_group_norm<Act>(x, gamma, beta, modulation, 2);
                }));
}

template <class Visit>
void group_norm(Visit&& visit) {
  group_norm_with<functional::Identity>("identity", visit);
  group_norm_with<functional::Relu>("relu", visit);
  group_norm_with<functional::Silu>("silu", visit);
  visit(op_case(
      "group_norm, features", {{4, 6}, {6}, {6}},
      [](auto const& x, auto const& gamma, auto const& beta) { return ops::group_norm(x, gamma, beta, 2); }));
  visit(op_case(
      "group_norm, a group a channel", {{3, 3, 2, 4}, {4}, {4}},
      [](auto const& x, auto const& gamma, auto const& beta) { return ops::group_norm(x, gamma, beta, 4); }));
  // Shapes that fused versions divide in other ways: blocks of whole groups, many small samples.
  visit(op_case("group_norm, one sample", {{1, 3, 3, 96}, {96}, {96}},
                [](auto const& x, auto const& gamma, auto const& beta) {
                  return ops::group_norm<functional::Silu>(x, gamma, beta, 32);
                }));
  visit(op_case("modulated_group_norm, small samples", {{33, 2, 1, 18}, {18}, {18}, {33, 36}},
                [](auto const& x, auto const& gamma, auto const& beta, auto const& modulation) {
                  return ops::modulated_group_norm<functional::Silu>(x, gamma, beta, modulation, 3);
                }));
}

/// Calls visit(case) for layer norm, batch norm and normalize.
template <class Visit>
void other_norm(Visit&& visit) {
  auto const layer_norm = [](auto const& x, auto const& gamma, auto const& beta) {
    return ops::layer_norm(x, gamma, beta);
  };
  visit(op_case("layer_norm", {{4, 6}, {6}, {6}}, layer_norm));
  visit(op_case("layer_norm, images", {{2, 3, 2, 5}, {5}, {5}}, layer_norm));
  visit(
      op_case("layer_norm, silu", {{4, 6}, {6}, {6}}, [](auto const& x, auto const& gamma, auto const& beta) {
        return ops::layer_norm<functional::Silu>(x, gamma, beta);
      }));
  visit(op_case("batch_norm, training", {{5, 3}, {3}, {3}}, batch_norm_in_training));
  visit(op_case("batch_norm, training, images", {{2, 3, 2, 4}, {4}, {4}}, batch_norm_in_training));
  visit(op_case("batch_norm, inference", {{2, 3, 2, 4}, {4}, {4}},
                {{Kind::normal, {4}}, {Kind::positive, {4}}}, batch_norm_in_evaluation));
  visit(op_case("normalize", {{4, 5}}, [](auto const& x) { return ops::normalize(x); }));
  // The same for rows whose squares overflow or underflow.
  for (double const sign : {1.0, -1.0})
    visit(op_case(sign > 0 ? "normalize, huge" : "normalize, tiny", {{4, 5}}, [sign](auto const& x) {
      using T = typename std::remove_cvref_t<decltype(x)>::Backend::Scalar;
      return ops::normalize(ops::scale(x, std::pow(sizeof(T) == 4 ? 1e22 : 1e200, sign)));
    }));
  visit(op_case("normalize, images", {{2, 3, 2, 5}}, [](auto const& x) { return ops::normalize(x); }));
  visit(op_case("mean_cosine_similarity", {{4, 5}, {4, 5}},
                [](auto const& x, auto const& y) { return ops::mean_cosine_similarity(x, y); }));
}

}  // namespace diffsiam::testing::cases
