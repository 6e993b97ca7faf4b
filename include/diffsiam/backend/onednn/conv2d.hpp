// Convolutions by oneDNN, their gradients, and the memory that they need.
#pragma once

#include <diffsiam/backend/onednn/context.hpp>

namespace diffsiam::backend::onednn {

/// Bytes of workspace of one pass. The number is exact, because it comes from the plan of the computation.
[[nodiscard]] inline std::size_t workspace(std::string_view operation, ConvGeometry const& g, Pass pass,
                                           int threads) {
  return guarded(operation, g,
                 [&] { return Plan(dnnl::engine(dnnl::engine::kind::cpu, 0), g, pass).bytes(threads); });
}

namespace detail {

/// The workspace of a call: first the shared part, then the part of each thread.
class Workspace {
 public:
  Workspace(OneDnnContext& context, Plan const& plan)
      : plan_(plan), memory_(context.allocate(plan.bytes(context.threads().threads()))) {}
  [[nodiscard]] std::byte* shared() const { return static_cast<std::byte*>(memory_.get()); }
  [[nodiscard]] std::byte* scratchpad(int worker) const {
    return shared() + plan_.shared_bytes() + static_cast<std::size_t>(worker) * plan_.worker_bytes();
  }
  [[nodiscard]] float* dx(int worker) const {
    return reinterpret_cast<float*>(scratchpad(worker) + plan_.scratchpad_bytes());
  }
  [[nodiscard]] float* part(Index piece) const {
    return reinterpret_cast<float*>(shared() + static_cast<std::size_t>(piece) * plan_.weights_bytes());
  }

 private:
  Plan const& plan_;
  std::shared_ptr<void> memory_;
};

/// parts[0] += the other parts, in order.
inline void add_parts(OneDnnContext& context, Plan const& plan, Workspace const& workspace) {
  constexpr Index most = Index{1} << 14;
  Index const size = static_cast<Index>(plan.weights_bytes() / sizeof(float));
  if (plan.cut.pieces == 1) return;
  context.threads().run((size + most - 1) / most, [&](Index piece, int) {
    Index const first = piece * most, count = std::min(most, size - first);
    float* const sums = workspace.part(0) + first;
    for (Index part = 1; part < plan.cut.pieces; ++part) {
      float const* const from = workspace.part(part) + first;
      for (Index i = 0; i < count; ++i) sums[i] += from[i];
    }
  });
}

}  // namespace detail

inline void conv2d(OneDnnContext& context, ConvGeometry const& g, float const* x, float const* w,
                   float const* bias, float* y) {
  guarded("conv2d", g, [&] {
    Convolution& convolution = context.convolution(g, bias == nullptr ? Pass::forward : Pass::forward_bias);
    BatchCut const& cut = convolution.plan().cut;
    detail::Workspace const workspace{context, convolution.plan()};
    convolution.set_weights(w, workspace.shared());
    if (bias != nullptr) convolution.set_bias(bias);
    context.threads().run(cut.pieces, [&](Index piece, int worker) {
      Index const first = cut.first(piece);
      convolution.run(piece, worker, x + first * cut.x_unit(), y + first * cut.y_unit(), nullptr,
                      workspace.scratchpad(worker));
    });
  });
}

/// Adds the gradient of the input to dx.
inline void conv2d_gradient_input(OneDnnContext& context, ConvGeometry const& g, float const* dy,
                                  float const* w, float* dx) {
  guarded("conv2d_gradient_input", g, [&] {
    Convolution& convolution = context.convolution(g, Pass::gradient_input);
    BatchCut const& cut = convolution.plan().cut;
    detail::Workspace const workspace{context, convolution.plan()};
    convolution.set_weights(w, workspace.shared());
    context.threads().run(cut.pieces, [&](Index piece, int worker) {
      Index const first = cut.first(piece), size = cut.size(piece) * cut.x_unit();
      float* const own = workspace.dx(worker);
      convolution.run(piece, worker, own, dy + first * cut.y_unit(), nullptr, workspace.scratchpad(worker));
      float* const to = dx + first * cut.x_unit();
      for (Index i = 0; i < size; ++i) to[i] += own[i];
    });
  });
}

/// Adds the gradient of the weights to dw.
inline void conv2d_gradient_weight(OneDnnContext& context, ConvGeometry const& g, float const* x,
                                   float const* dy, float* dw) {
  guarded("conv2d_gradient_weight", g, [&] {
    Convolution& convolution = context.convolution(g, Pass::gradient_weight);
    BatchCut const& cut = convolution.plan().cut;
    detail::Workspace const workspace{context, convolution.plan()};
    context.threads().run(cut.pieces, [&](Index piece, int worker) {
      Index const first = cut.first(piece);
      convolution.run(piece, worker, x + first * cut.x_unit(), dy + first * cut.y_unit(),
                      workspace.part(piece), workspace.scratchpad(worker));
    });
    detail::add_parts(context, convolution.plan(), workspace);
    convolution.add_weights(workspace.part(0), dw);
  });
}

}  // namespace diffsiam::backend::onednn
