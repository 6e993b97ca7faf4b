// summary: the size of a model and the cost of one evaluation, before it runs.
#pragma once

#include <string>
#include <vector>

#include <diffsiam/nn/module.hpp>
#include <diffsiam/value/traced.hpp>

namespace diffsiam::nn {

struct Summary {
  struct Leaf {
    std::string name;
    Shape shape;
    bool trainable;
  };
  std::vector<Leaf> leaves;
  Index parameters = 0;  ///< scalars in all weights
  Index trainable = 0;   ///< those that are trainable
  Shape output;
  Estimate evaluation;  ///< of one plain evaluation
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

}  // namespace diffsiam::nn
