// Cases for arithmetic (sums, products, activations) and for operations that move elements.
#pragma once

#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/broadcast.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/diagonal.hpp>
#include <diffsiam/ops/dropout.hpp>
#include <diffsiam/ops/lookup.hpp>
#include <diffsiam/ops/modulation.hpp>
#include <diffsiam/ops/power.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/ops/reshape.hpp>
#include <diffsiam/ops/samples.hpp>
#include <diffsiam/ops/scale_samples.hpp>
#include <diffsiam/ops/select.hpp>
#include <diffsiam/ops/transpose.hpp>
#include <diffsiam/testing/case.hpp>

namespace diffsiam::testing::cases {

/// Calls visit(case) for sums, products, activations and reductions.
template <class Visit>
void arithmetic(Visit&& visit) {
  visit(op_case("silu", {{2, 3, 4, 5}}, [](auto const& x) { return ops::silu(x); }));
  visit(op_case("relu", {{2, 3, 4, 5}}, [](auto const& x) { return ops::relu(x); }));
  visit(op_case("exp", {{2, 3, 4, 5}}, [](auto const& x) { return ops::exp(x); }));
  visit(op_case("add", {{3, 4}, {3, 4}}, [](auto const& x, auto const& y) { return x + y; }));
  visit(op_case("subtract", {{3, 4}, {3, 4}}, [](auto const& x, auto const& y) { return x - y; }));
  visit(op_case("add, one value twice", {{3, 4}}, [](auto const& x) { return x + x; }));
  visit(op_case("linear_combination", {{2, 3, 2}, {2, 3, 2}},
                [](auto const& x, auto const& y) { return ops::linear_combination(0.7, x, -1.3, y); }));
  visit(op_case("scale", {{2, 5}}, [](auto const& x) { return -2.5 * x; }));
  visit(op_case("multiply", {{2, 3, 4}, {2, 3, 4}}, [](auto const& x, auto const& y) { return x * y; }));
  visit(op_case("multiply, one value twice", {{2, 7}}, [](auto const& x) { return x * x; }));
  visit(op_case("scale_samples", {{3, 2, 2, 4}, {3}},
                [](auto const& x, auto const& factor) { return ops::scale_samples(x, factor); }));
  visit(op_case("multiply, vectors", {{5}, {5}}, [](auto const& x, auto const& y) { return x * y; }));
  visit(op_case("multiply, rank 0", {{}, {}}, [](auto const& x, auto const& y) { return x * y; }));
  visit(op_case("divide", {{3, 5}, {3, 5}}, [](auto const& x, auto const& y) { return x / (y * y + 1); }));
  visit(op_case("numbers and a value", {{3, 5}},
                [](auto const& x) { return 3 / (2 - x * x / -4) - 0.5 * x + (1 + x) * 2 - -x - 7; }));
  visit(op_case("log", {{2, 3, 5}}, [](auto const& x) { return ops::log(x * x + 0.5); }));
  visit(op_case("sqrt", {{2, 3, 5}}, [](auto const& x) { return ops::sqrt(x * x + 0.5); }));
  visit(op_case("abs", {{2, 3, 5}}, [](auto const& x) { return ops::abs(x); }));
  visit(op_case("pow, -1.5", {{2, 3, 5}}, [](auto const& x) { return ops::pow(x * x + 0.5, -1.5); }));
  visit(op_case("pow, 2", {{2, 3, 5}}, [](auto const& x) { return ops::pow(x, 2); }));
  visit(op_case("pow, 3", {{2, 3, 5}}, [](auto const& x) { return ops::pow(x, 3); }));
  visit(op_case("sum", {{2, 3, 4, 5}}, [](auto const& x) { return ops::sum(x); }));
  visit(op_case("mean", {{2, 3, 4, 5}}, [](auto const& x) { return ops::mean(x); }));
}

/// Values of unequal shapes, and sums along an axis.
template <class Visit>
void broadcast(Visit&& visit) {
  visit(op_case("broadcast_to, row", {{20}}, [](auto const& x) { return ops::broadcast_to(x, {3, 20}); }));
  visit(
      op_case("broadcast_to, column", {{3, 1}}, [](auto const& x) { return ops::broadcast_to(x, {3, 20}); }));
  visit(op_case("broadcast_to, middle", {{2, 1, 3, 1}},
                [](auto const& x) { return ops::broadcast_to(x, {2, 5, 3, 4}); }));
  visit(
      op_case("broadcast_to, one number", {{}}, [](auto const& x) { return ops::broadcast_to(x, {2, 3}); }));
  visit(op_case("add, a row", {{3, 5}, {5}}, [](auto const& x, auto const& y) { return x + y; }));
  visit(op_case("subtract, a column", {{3, 5}, {3, 1}}, [](auto const& x, auto const& y) { return x - y; }));
  visit(op_case("multiply, a column and a row", {{3, 1}, {5}},
                [](auto const& x, auto const& y) { return x * y; }));
  visit(op_case("divide, channels", {{4}, {2, 3, 2, 4}},
                [](auto const& x, auto const& y) { return x / (y * y + 1); }));
  visit(op_case("sum, axis 0", {{6, 20}}, [](auto const& x) { return ops::sum(x, 0); }));
  visit(op_case("sum, last axis", {{2, 3, 20}}, [](auto const& x) { return ops::sum(x, -1); }));
  visit(op_case("mean, a middle axis", {{2, 3, 4, 5}}, [](auto const& x) { return ops::mean(x, 2); }));
  visit(op_case("mean, keepdims", {{3, 5}},
                [](auto const& x) { return x - ops::mean(x, 1, {.keepdims = true}); }));
}

/// Calls visit(case) for what moves or selects elements: concat, slice, transpose, dropout and the like.
template <class Visit>
void movement(Visit&& visit) {
  visit(op_case("concat", {{2, 3, 2, 4}, {2, 3, 2, 1}},
                [](auto const& x, auto const& y) { return ops::concat(x, y); }));
  visit(
      op_case("concat, vectors", {{3}, {2}}, [](auto const& x, auto const& y) { return ops::concat(x, y); }));
  visit(op_case("concat, one value twice", {{4, 3}}, [](auto const& x) { return ops::concat(x, x); }));
  visit(op_case("slice", {{3, 2, 7}}, [](auto const& x) { return ops::slice(x, 2, 5); }));
  visit(op_case("slice, one channel", {{3, 7}}, [](auto const& x) { return ops::slice(x, 6, 7); }));
  visit(op_case("reshape", {{4, 6}}, [](auto const& x) { return ops::reshape(x, {2, 3, 4, 1}); }));
  visit(op_case("flatten", {{2, 3, 4, 5}}, [](auto const& x) { return ops::flatten(x); }));
  visit(op_case("samples", {{5, 2, 3}}, [](auto const& x) { return ops::samples(x, 1, 4); }));
  visit(op_case("samples, halves of a batch", {{4, 3}},
                [](auto const& x) { return ops::samples(x, 0, 2) * ops::samples(x, 2, 4); }));
  visit(op_case("select", {{4, 6}}, {{Kind::mask, {4, 6}}},
                [](auto const& x, auto const& mask) { return ops::select(x, mask); }));
  visit(op_case("dropout", {{3, 5, 5, 2}},
                [](auto const& x) { return ops::dropout(x, 0.3, {.seed = 5, .stream = 2, .step = 9}); }));
  visit(op_case("compose_modulation", {{3, 8}, {3, 8}}, [](auto const& first, auto const& second) {
    return ops::compose_modulation(first, second);
  }));
  visit(op_case("compose_modulation, one value twice", {{3, 4}},
                [](auto const& x) { return ops::compose_modulation(x, x); }));
  visit(op_case("transpose", {{3, 5}}, [](auto const& x) { return ops::transpose(x); }));
  visit(op_case("transpose, batch", {{2, 3, 4, 5}}, [](auto const& x) { return ops::transpose(x); }));
  visit(op_case("diagonal", {{4, 4}}, [](auto const& x) { return ops::diagonal(x); }));
  visit(constant_case("lookup", {{Kind::time_steps, {9}}}, [](auto const& t) {
    std::vector<double> table(1000);
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = 1 / (1 + static_cast<double>(i));
    return ops::lookup(table, t);
  }));
}

}  // namespace diffsiam::testing::cases
