// Comparison and Bench: run the same numbers through a backend and through Reference<double>, and compare the
// results.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <diffsiam/backend/reference/reference.hpp>
#include <diffsiam/tensor/tensor.hpp>
#include <diffsiam/testing/draw.hpp>

namespace diffsiam::testing {

/// The backend that the others are compared with.
using Specification = backend::Reference<double>;

/// One comparison. The error is the largest difference of an element, relative to the largest element.
/// It has `passed()` if `error` is at most `tolerance`; `where` says which element is farthest off.
struct Comparison {
  std::string name;
  double error = 0;
  double tolerance = 0;
  std::string where;
  [[nodiscard]] bool passed() const { return error <= tolerance; }
};

/// The allowed error for sums of a few thousand terms: 1e-5 in float, 1e-12 in double. Backends that round
/// their operands state their own (`operand_tolerance`).
template <class B>
inline constexpr double tolerance_of = [] {
  if constexpr (backend::RoundsOperands<B>)
    return B::operand_tolerance;
  else
    return sizeof(typename B::Scalar) >= 8 ? 1e-12 : 1e-5;
}();

/// The largest magnitude of a finite element, 0 if there is none.
[[nodiscard]] inline double largest_finite(std::vector<double> const& values) {
  double largest = 0;
  for (double value : values)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  return largest;
}

/// The error of `ours` relative to the largest finite element of `reference`, or to `scale` if all elements
/// are rounding beside it: below 1e-12 of it. It is infinite if one value is NaN or infinite and the other is
/// not the same.
[[nodiscard]] inline Comparison compare(std::string name, std::vector<double> const& ours,
                                        std::vector<double> const& reference, double tolerance,
                                        double scale = 0) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Comparison comparison{std::move(name), 0, tolerance, ""};
  if (ours.size() != reference.size()) {
    comparison.error = infinity;
    comparison.where = "sizes differ";
    return comparison;
  }
  double largest = largest_finite(reference);
  if (largest < 1e-12 * scale) largest = scale;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    double const a = ours[i], b = reference[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    double const error = std::isfinite(a) && std::isfinite(b)
                             ? std::abs(a - b) / std::max(largest, std::numeric_limits<double>::min())
                             : infinity;
    if (error <= comparison.error) continue;
    comparison.error = error;
    comparison.where =
        "entry " + std::to_string(i) + ": expected " + std::to_string(b) + ", got " + std::to_string(a);
  }
  return comparison;
}

/// A tensor of B, and the same values as a tensor of the specification.
/// `ours` and `reference`.
template <class B>
struct Twin {
  Tensor<B> ours;
  Tensor<Specification> reference;
};

/// Makes twins, runs the same code on both, and collects the comparisons.
template <class B>
class Bench {
 public:
  /// Borrows `context`; the specification gets a context of its own.
  explicit Bench(typename B::Context& context) : context_(context), reference_({.threads = 1}) {}

  [[nodiscard]] typename B::Context& context() const { return context_; }
  /// What compare() has found so far.
  [[nodiscard]] std::vector<Comparison>& comparisons() & { return comparisons_; }

  /// Twins with the given values, rounded to the scalar type of B.
  [[nodiscard]] Twin<B> twin(Shape const& shape, std::vector<double> values) {
    for (double& value : values) value = static_cast<double>(static_cast<typename B::Scalar>(value));
    std::span<double const> const span(values);
    return {Tensor<B>::from(context_, shape, span), Tensor<Specification>::from(reference_, shape, span)};
  }
  [[nodiscard]] Twin<B> twin(Shape const& shape, Kind kind = Kind::normal) {
    return twin(shape, draw(kind, shape, {.seed = 17, .stream = ++streams_}));
  }
  /// Twins with one value everywhere.
  [[nodiscard]] Twin<B> filled(Shape const& shape, double value) {
    return twin(shape, std::vector<double>(static_cast<std::size_t>(shape.size()), value));
  }

  /// Runs f.operator()<S>(context, pick) for S = B and for the specification. pick(twin) is the data of the
  /// tensor of S.
  template <class F>
  void run(F f) {
    f.template operator()<B>(context_, [](Twin<B> const& t) { return t.ours.data(); });
    f.template operator()<Specification>(reference_, [](Twin<B> const& t) { return t.reference.data(); });
  }
  /// Compares the twins as they are now, and keeps the result under `name`.
  void compare(std::string name, Twin<B> const& twin, double tolerance = tolerance_of<B>) {
    comparisons_.push_back(testing::compare(std::move(name), twin.ours.template values<double>(),
                                            twin.reference.template values<double>(), tolerance));
  }

 private:
  typename B::Context& context_;
  Specification::Context reference_;
  std::vector<Comparison> comparisons_;
  std::uint32_t streams_ = 0;
};

}  // namespace diffsiam::testing
