#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <tests/golden/report.hpp>

#include <diffsiam/core/error.hpp>

namespace diffsiam::golden {

namespace {

void require_same_count(std::string const& name, std::size_t actual, std::size_t expected) {
  if (actual != expected)
    fail<FileError>("golden", std::to_string(expected) + " values of '" + name + "'", std::to_string(actual));
}

double largest(Values const& values) {
  double result = 0;
  for (double const value : values) result = std::max(result, std::abs(value));
  return result;
}

/// NaN where one of the values is NaN.
double largest_difference(Values const& actual, Values const& expected) {
  double result = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    double const difference = std::abs(actual[i] - expected[i]);
    if (!(difference <= result)) result = difference;
    if (std::isnan(result)) break;
  }
  return result;
}

double dot(Values const& a, Values const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

double norm_of(Values const& values) {
  return std::sqrt(dot(values, values));
}

void Report::compare(std::string const& name, double error, double tolerance) {
  // Written so that NaN fails, on either side.
  bool const passed = error <= tolerance;
  double ratio = error == 0 ? 0 : error / tolerance;
  if (!passed && !(ratio > 1)) ratio = std::numeric_limits<double>::infinity();
  ++compared_;
  if (!passed) ++failed_;
  if (ratio > worst_ratio_) {
    worst_ratio_ = ratio;
    worst_ = name;
    worst_error_ = error;
    worst_tolerance_ = tolerance;
  }
}

void Report::output(std::string const& name, Values const& actual, Values const& expected, double tolerance) {
  require_same_count(name, actual.size(), expected.size());
  compare(name, largest_difference(actual, expected), tolerance * largest(expected));
}

void Report::exact(std::string const& name, Values const& actual, Values const& expected) {
  output(name, actual, expected, 0);
}

void Report::number(std::string const& name, double actual, double expected, double tolerance) {
  compare(name, std::abs(actual - expected), tolerance * std::abs(expected));
}

void Report::gradients(std::vector<KnownGradient> const& gradients) {
  double greatest = 0;
  for (KnownGradient const& g : gradients) greatest = std::max(greatest, norm_of(g.expected));
  for (KnownGradient const& g : gradients) {
    require_same_count(g.name, g.actual.size(), g.expected.size());
    double const norm = norm_of(g.expected);
    double const tolerance = tolerances_.gradient * std::max(norm, 0.01 * greatest);
    compare(g.name, largest_difference(g.actual, g.expected), tolerance);
    compare(g.name + " (norm)", std::abs(norm_of(g.actual) - norm), tolerance);
  }
}

void Report::gradients(std::vector<ProbedGradient> const& gradients) {
  constexpr std::size_t most = 8;
  double greatest = 0;
  for (ProbedGradient const& g : gradients) {
    require_same_count(g.name, g.probe.size(), 2 + std::min(most, g.actual.size()));
    greatest = std::max(greatest, g.probe[0]);
  }
  for (ProbedGradient const& g : gradients) {
    double const tolerance = tolerances_.gradient * std::max(g.probe[0], 0.01 * greatest);
    compare(g.name + " (norm)", std::abs(norm_of(g.actual) - g.probe[0]), tolerance);
    compare(g.name + " (dot)", std::abs(dot(g.actual, g.weight) - g.probe[1]), tolerance * norm_of(g.weight));
    Values const expected(g.probe.begin() + 2, g.probe.end());
    Values const actual(g.actual.begin(), g.actual.begin() + static_cast<std::ptrdiff_t>(expected.size()));
    compare(g.name + " (entries)", largest_difference(actual, expected), tolerance);
  }
}

std::string Report::summary() const {
  if (compared_ == 0) return "nothing was compared";
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, ": error %.2e, tolerance %.2e (%.3g %%); %d compared", worst_error_,
                worst_tolerance_, 100 * worst_ratio_, compared_);
  return "worst " + worst_ + numbers + (failed_ > 0 ? ", " + std::to_string(failed_) + " failed" : "");
}

}  // namespace diffsiam::golden
