// OneDnnContext: a HostContext with the engine of oneDNN and all primitives that have been compiled.
#pragma once

#include <array>
#include <map>

#include <diffsiam/backend/host/context.hpp>
#include <diffsiam/backend/onednn/convolution.hpp>
#include <diffsiam/backend/onednn/product.hpp>

namespace diffsiam::backend {

/// Only one thread at a time may use it, like a HostContext.
class OneDnnContext : public HostContext {
 public:
  using Options = HostContext::Options;

  /// With all cores.
  OneDnnContext() : OneDnnContext(Options{}) {}
  /// As HostContext.
  explicit OneDnnContext(Options options) : HostContext(options) {}

  /// The convolution of this shape. It is compiled at the first call.
  [[nodiscard]] onednn::Convolution& convolution(ConvGeometry const& g, onednn::Pass pass) {
    Key const key{static_cast<Index>(pass), g.n, g.h, g.w, g.in, g.out, g.kernel, g.stride};
    auto const found = convolutions_.find(key);
    if (found != convolutions_.end()) return found->second;
    return convolutions_.try_emplace(key, engine_, g, pass, threads().threads()).first->second;
  }
  /// The product of this shape. It is compiled at the first call.
  [[nodiscard]] onednn::Product& product(Gemm<float> const& g) {
    onednn::ProductKey const key = onednn::key_of(g);
    auto const found = products_.find(key);
    if (found != products_.end()) return found->second;
    return products_.try_emplace(key, engine_, g, threads().threads()).first->second;
  }

 private:
  using Key = std::array<Index, 8>;

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  std::map<Key, onednn::Convolution> convolutions_;
  std::map<onednn::ProductKey, onednn::Product> products_;
};

}  // namespace diffsiam::backend
