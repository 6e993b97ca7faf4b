// Large matrix products by oneDNN.
#pragma once

#include <diffsiam/backend/onednn/context.hpp>
#include <diffsiam/backend/onednn/routes.hpp>

namespace diffsiam::backend::onednn {

/// Bytes of workspace of a product; 0 if the Cpu backend computes it.
[[nodiscard]] inline std::size_t gemm_workspace(Gemm<float> const& g, int threads) {
  if (!gemm_may_serve(g)) return 0;
  return guarded("gemm", g, [&] {
    ProductPlan const plan{dnnl::engine(dnnl::engine::kind::cpu, 0), g};
    return plan.serves() ? static_cast<std::size_t>(threads) * plan.scratchpad_bytes() : 0;
  });
}

/// Computes g and returns true, or returns false if the Cpu backend should compute it.
[[nodiscard]] inline bool gemm(OneDnnContext& context, Gemm<float> const& g) {
  if (!gemm_may_serve(g)) return false;
  return guarded("gemm", g, [&] {
    Product& product = context.product(g);
    if (!product.plan().serves()) return false;
    std::size_t const bytes = product.plan().scratchpad_bytes();
    std::shared_ptr<void> memory;  // most products need none
    if (bytes > 0) memory = context.allocate(static_cast<std::size_t>(context.threads().threads()) * bytes);
    auto* const scratchpads = static_cast<std::byte*>(memory.get());
    context.threads().run(product.plan().cut.pieces, [&](Index piece, int worker) {
      product.run(g, piece, worker, scratchpads + static_cast<std::size_t>(worker) * bytes);
    });
    return true;
  });
}

}  // namespace diffsiam::backend::onednn
