// summary: the size of a model and the cost of one evaluation, before it runs, and both as a table.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/nn/module.hpp>
#include <diffsiam/value/traced.hpp>

namespace diffsiam::nn {

/// What summary() returns.
struct Summary {
  /// A weight or a buffer: its `name`, as this library has it, and its `shape`.
  struct Leaf {
    std::string name;
    Shape shape;
    bool trainable;  ///< false for frozen weights, and for buffers such as running statistics
  };
  std::vector<Leaf> leaves;  ///< weights and buffers, in the order of the walk
  Index parameters = 0;      ///< scalars in all weights
  Index trainable = 0;       ///< those that are trainable
  Shape output;              ///< shape of the result
  Estimate evaluation;       ///< of one plain evaluation
};

/// The summary of `model` for inputs of the given shapes, such as summary(unet, Shape{64, 28, 28, 1},
/// Shape{64}).
template <Module M, std::same_as<Shape>... S>
[[nodiscard]] Summary summary(M const& model, S const&... inputs) {
  using V = backend::DryRun<typename M::Backend>;
  Summary result;
  for_each_leaf(model, [&](LeafName const& path, auto const& leaf) {
    bool trainable = false;
    if constexpr (requires { leaf.trainable(); }) {
      trainable = leaf.trainable();
      result.parameters += leaf.shape().size();
      result.trainable += trainable ? leaf.shape().size() : 0;
    }
    result.leaves.push_back({path.name, leaf.shape(), trainable});
  });
  result.evaluation = estimate(
      [&](backend::DryContext& context) { result.output = model(Tensor<V>{context, inputs}...).shape(); });
  return result;
}

/// The summary as a table for people: a line for each weight, then the totals.
[[nodiscard]] inline std::string to_string(Summary const& summary) {
  using Row = std::array<std::string, 4>;
  std::vector<Row> rows{{"name", "shape", "numbers", "trainable"}};
  for (Summary::Leaf const& leaf : summary.leaves)
    rows.push_back(
        {leaf.name, diffsiam::to_string(leaf.shape), text(leaf.shape.size()), leaf.trainable ? "yes" : "no"});
  std::array<std::size_t, 4> width{};
  for (Row const& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string result;
  for (Row const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string const space(width[i] - row[i].size(), ' ');
      bool const is_number = i == 2;
      result.append(i == 0 ? "" : "  ").append(is_number ? space + row[i] : row[i] + space);
    }
    result.erase(result.find_last_not_of(' ') + 1).append("\n");
  }
  auto const in = [](double amount, double unit, char const* name) {
    char digits[48];
    std::snprintf(digits, sizeof digits, "%.3g %s", amount / unit, name);
    return std::string{digits};
  };
  return result.append(
      text({summary.parameters, " parameters, ", summary.trainable, " trainable\noutput ", summary.output,
            ", ", in(summary.evaluation.flops, 1e9, "GFLOP"), ", ",
            in(static_cast<double>(summary.evaluation.peak_bytes), 1 << 20, "MiB"), " at most\n"}));
}

}  // namespace diffsiam::nn
