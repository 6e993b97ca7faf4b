// Report: what was compared in one case, each error beside its tolerance, and the worst of them.
#pragma once

#include <string>
#include <vector>

namespace diffsiam::golden {

/// Relative to what each comparison names.
struct Tolerances {
  double output = 1e-4;       ///< of the largest entry
  double sampled = 1e-3;      ///< of the largest entry, where steps amplify rounding
  double loss = 1e-5;         ///< of the value
  double gradient = 1e-3;     ///< of the norm, or of a hundredth of the largest norm
  double weight_norm = 1e-4;  ///< of the value

  [[nodiscard]] static Tolerances of_float() { return {}; }
  /// Stored values are rounded to float.
  [[nodiscard]] static Tolerances of_double() { return {1e-6, 1e-5, 1e-6, 1e-6, 1e-6}; }
  /// Activations are rounded to 8 bits of mantissa in every layer: twice what the kernels of the Cuda backend
  /// leave when they are stepped through on the host, 4e-2 of a gradient's norm and 1.6e-3 of a weight's.
  /// Adam moves a weight by its rate however small the gradient is, also to the side that rounding chose.
  [[nodiscard]] static Tolerances of_bfloat16() { return {8e-2, 8e-2, 2e-2, 8e-2, 3.2e-3}; }
};

using Values = std::vector<double>;

/// A gradient and what is known about it, in PyTorch's order.
struct KnownGradient {
  std::string name;
  Values actual;
  Values expected;  ///< all entries
};
/// Known by [norm, product with the weight, first entries].
struct ProbedGradient {
  std::string name;
  Values actual;
  Values weight;
  Values probe;
};

class Report {
 public:
  explicit Report(Tolerances const& tolerances) : tolerances_(tolerances) {}

  [[nodiscard]] Tolerances const& tolerances() const { return tolerances_; }

  // Each throws FileError where the counts of values differ.

  /// `tolerance` times the largest expected entry.
  void output(std::string const& name, Values const& actual, Values const& expected, double tolerance);
  void output(std::string const& name, Values const& actual, Values const& expected) {
    output(name, actual, expected, tolerances_.output);
  }
  /// No difference at all.
  void exact(std::string const& name, Values const& actual, Values const& expected);
  /// `tolerance` times the value.
  void number(std::string const& name, double actual, double expected, double tolerance);
  void loss(std::string const& name, double actual, double expected) {
    number(name, actual, expected, tolerances_.loss);
  }
  /// Gradients of one loss. Some are zero by construction, and what is stored is noise: hence the floor of a
  /// hundredth of the largest norm.
  void gradients(std::vector<KnownGradient> const& gradients);
  void gradients(std::vector<ProbedGradient> const& gradients);

  [[nodiscard]] bool passed() const { return compared_ > 0 && failed_ == 0; }
  [[nodiscard]] int compared() const { return compared_; }
  /// "worst grad.qkv.bias: error 3.1e-08, tolerance 2.2e-05 (0.1 %); 17 compared".
  [[nodiscard]] std::string summary() const;

 private:
  void compare(std::string const& name, double error, double tolerance);

  Tolerances tolerances_;
  int compared_ = 0, failed_ = 0;
  std::string worst_;
  double worst_ratio_ = -1, worst_error_ = 0, worst_tolerance_ = 0;
};

/// sqrt of the sum of squares.
[[nodiscard]] double norm_of(Values const& values);

}  // namespace diffsiam::golden
