// Tensors and autograd of libtorch: its tensors go into the library and out of it without a copy, and a
// network of the library is a function in a graph of libtorch. Component torch.
//
//     B::Context context;                                            // B = ds::backend::Torch
//     ds::UNet<B> denoiser{context, {.in_channels = 1, ...}};
//     ds::interop::TorchFunction const f{context, denoiser};
//     torch::optim::Adam adam{f.parameters(), 1e-3};
//     torch::mse_loss(f(x_t, t), noise).backward();                  // x_t (n, c, h, w), channels last
//     adam.step();
//
// Rank-4 tensors are (n, c, h, w) in libtorch and (n, h, w, c) here: the same memory, if it is channels last.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <diffsiam/backend/torch/torch.hpp>
#include <diffsiam/nn/module.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::interop {

/// The backend of networks that meet tensors of libtorch.
using TorchBackend = backend::Torch;

/// The same memory as a tensor of the library, which keeps it alive. Throws ShapeError for rank 0 or more
/// than four, Error for another type than float, another device, or other memory than contiguous (rank 4:
/// channels last).
[[nodiscard]] inline Tensor<TorchBackend> from_torch(backend::TorchContext& context,
                                                     at::Tensor const& tensor) {
  Index const rank = tensor.dim();
  if (rank > 4) fail<ShapeError>("from_torch", "rank 0 to 4", {"rank ", rank});
  if (tensor.scalar_type() != at::kFloat || !tensor.device().is_cpu())
    fail<Error>("from_torch", "float on the CPU", tensor.toString(), "convert it first: x.to(torch::kFloat)");
  auto const format = rank == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  if (!tensor.is_contiguous(format))
    fail<Error>("from_torch", rank == 4 ? "channels-last memory" : "contiguous memory", "other strides",
                rank == 4 ? "x.contiguous(torch::MemoryFormat::ChannelsLast)" : "x.contiguous()");
  auto const size = [&](Index axis) { return tensor.size(axis); };
  Shape const shape = rank == 0   ? Shape{}
                      : rank == 1 ? Shape{size(0)}
                      : rank == 2 ? Shape{size(0), size(1)}
                      : rank == 3 ? Shape{size(0), size(1), size(2)}
                                  : Shape{size(0), size(2), size(3), size(1)};
  return Tensor<TorchBackend>::sharing(context, shape,
                                       {std::make_shared<at::Tensor>(tensor), tensor.data_ptr()});
}

/// The same memory as a tensor of libtorch, which keeps it alive.
[[nodiscard]] inline at::Tensor to_torch(Tensor<TorchBackend> const& tensor) {
  Shape const shape = tensor.shape();
  std::vector<std::int64_t> extents;
  for (int axis = 0; axis < shape.rank(); ++axis) extents.push_back(shape[axis]);
  at::Tensor const result = at::from_blob(tensor.data(), extents, [keep = tensor](void*) {}, at::kFloat);
  return shape.rank() == 4 ? result.permute({0, 3, 1, 2}) : result;
}

/// A network, or several modules and the function that puts them together, in a graph of libtorch.
template <class F, class... Modules>
class TorchFunction {
 public:
  /// `modules` are those whose weights train; f is called with taped values, one for each tensor of libtorch,
  /// and returns one. Both are handles that share the weights.
  TorchFunction(backend::TorchContext& context, F f, Modules... modules)
      : context_(&context), f_(std::move(f)), weights_(collect(f_, modules...)) {
    for (auto const& weight : weights_)
      leaves_.push_back(to_torch(weight.value()).detach().set_requires_grad(true));
  }

  /// The weights that train, in the order of the modules, sharing their memory: for optimizers of libtorch. A
  /// convolution's is (out, in, kernel, kernel) in channels-last memory.
  [[nodiscard]] std::vector<at::Tensor> const& parameters() const& { return leaves_; }
  [[nodiscard]] std::vector<at::Tensor> parameters() const&& { return leaves_; }

  /// Throws as from_torch does. Without gradients (at::NoGradGuard) nothing is recorded.
  template <class... Tensors>
  [[nodiscard]] at::Tensor operator()(Tensors const&... inputs) const {
    if (!at::GradMode::is_enabled()) return to_torch(f_(from_torch(*context_, inputs)...));
    auto node = std::make_shared<Node>(*context_, weights_);
    // Braces: the tape takes the inputs in their order.
    Taped<TorchBackend> const out = std::apply(f_, std::tuple{node->input(inputs)...});
    node->output.emplace(out);
    torch::autograd::edge_list edges = torch::autograd::collect_next_edges(inputs...);
    for (at::Tensor const& leaf : leaves_) edges.push_back(torch::autograd::impl::gradient_edge(leaf));
    node->set_next_edges(std::move(edges));
    at::Tensor result = to_torch(out.value());
    torch::autograd::set_history(result, node);
    return result;
  }

 private:
  using Weights = std::vector<Parameter<TorchBackend>>;

  static Weights collect(F const& f, Modules const&... modules) {
    auto const list = [&] {
      if constexpr (sizeof...(Modules) == 0)
        return nn::parameters(f);
      else
        return nn::parameters(modules...);
    }();
    Weights weights;
    for (auto const& entry : list.parameters) weights.push_back(entry.parameter);
    return weights;
  }

  /// One call: its tape, whose gradients libtorch asks for.
  struct Node : torch::autograd::Node {
    Node(backend::TorchContext& context, Weights const& of) : tape(context), weights(of) {}

    Taped<TorchBackend> input(at::Tensor const& tensor) {
      Tensor<TorchBackend> const plain = from_torch(tape.context(), tensor);
      return inputs.emplace_back(tensor.requires_grad() ? tape.variable(plain) : tape.input(plain));
    }
    torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
      for (auto const& weight : weights) weight.gradient().fill(0);
      at::Tensor const dy = gradients.front();
      tape.backward(*output,
                    from_torch(tape.context(), dy.dim() == 4 ? dy.contiguous(at::MemoryFormat::ChannelsLast)
                                                             : dy.contiguous()));
      torch::autograd::variable_list result;
      for (auto const& value : inputs) {
        auto const gradient = value.gradient();
        result.push_back(gradient ? to_torch(gradient) : at::Tensor{});
      }
      // Copies: libtorch may keep what it is given, and the next call starts from zero in the same memory.
      for (auto const& weight : weights) result.push_back(to_torch(weight.gradient()).clone());
      return result;
    }

    Tape<TorchBackend> tape;
    Weights weights;
    std::vector<Taped<TorchBackend>> inputs;
    std::optional<Taped<TorchBackend>> output;
  };

  backend::TorchContext* context_;
  F f_;
  Weights weights_;
  std::vector<at::Tensor> leaves_;
};

}  // namespace diffsiam::interop
