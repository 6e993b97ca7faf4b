// to_string shows the values of a tensor as numpy does: its shape, then nested rows, shortened where it is
// big.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <diffsiam/concepts/backend_options.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam {

/// How to_string() writes a tensor.
struct PrintOptions {
  int digits = 4;           ///< significant digits of a number
  Index most_whole = 1000;  ///< tensors of more elements are shortened
  Index edge = 3;           ///< how many entries of a long axis are shown at either end
};

namespace detail {

/// Values in the order of their shape, as nested rows. The numbers of all columns have one width.
class TensorText {
 public:
  TensorText(Shape const& shape, std::vector<double> const& values, PrintOptions const& options)
      : shape_(shape), values_(values), options_(options), shortens_(shape.size() > options.most_whole) {}

  [[nodiscard]] std::string rows() {
    visit(0, 0, [&](std::size_t at) { width_ = std::max(width_, number(at).size()); });
    std::string result;
    write(0, 0, result);
    return result;
  }

 private:
  [[nodiscard]] std::string number(std::size_t at) const {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.*g", std::clamp(options_.digits, 1, 17), values_[at]);
    return digits;
  }
  /// Whether entry i of an axis is left out.
  [[nodiscard]] bool skips(Index i, Index extent) const {
    return shortens_ && extent > 2 * options_.edge && i >= options_.edge && i < extent - options_.edge;
  }
  /// Calls f(position) for every value that is shown.
  template <class F>
  void visit(int axis, std::size_t at, F const& f) const {
    if (axis == shape_.rank()) return f(at);
    for (Index i = 0; i < shape_[axis]; ++i)
      if (!skips(i, shape_[axis]))
        visit(axis + 1, at * static_cast<std::size_t>(shape_[axis]) + static_cast<std::size_t>(i), f);
  }
  void write(int axis, std::size_t at, std::string& to) const {
    if (axis == shape_.rank()) {
      std::string const digits = number(at);
      to.append(width_ - digits.size(), ' ').append(digits);
      return;
    }
    bool const last = axis + 1 == shape_.rank();
    std::string const between = last ? " "
                                     : std::string(static_cast<std::size_t>(shape_.rank() - axis - 1), '\n')
                                           .append(static_cast<std::size_t>(axis) + 1, ' ');
    to.append("[");
    for (Index i = 0; i < shape_[axis]; ++i) {
      if (skips(i, shape_[axis])) {
        to.append(between).append("...");
        i = shape_[axis] - options_.edge - 1;
        continue;
      }
      if (i > 0) to.append(between);
      write(axis + 1, at * static_cast<std::size_t>(shape_[axis]) + static_cast<std::size_t>(i), to);
    }
    to.append("]");
  }

  Shape shape_;
  std::vector<double> const& values_;
  PrintOptions options_;
  bool shortens_;
  std::size_t width_ = 0;
};

}  // namespace detail

/// The shape and the values of a tensor, such as "(2, 2)\n[[  1 0.5]\n [ -2   0]]". A tensor of a dry run has
/// no values. It waits for the device and copies all values to the host.
template <class B>
[[nodiscard]] std::string to_string(Tensor<B> const& tensor, PrintOptions const& options = {}) {
  if constexpr (backend::Estimating<B>) {
    return to_string(tensor.shape()).append(" of a dry run, without values");
  } else {
    if (!tensor) return "no tensor";
    return to_string(tensor.shape())
        .append("\n")
        .append(detail::TensorText{tensor.shape(), tensor.template values<double>(), options}.rows());
  }
}
template <class B>
[[nodiscard]] std::string to_string(Taped<B> const& value, PrintOptions const& options = {}) {
  return to_string(value.value(), options);
}

}  // namespace diffsiam
