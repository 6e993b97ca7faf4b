// LatentDenoiser: an MLP with skips that denoises z (Diff-AE, arXiv 2111.15640). Each hidden layer is Linear,
// a factor of 1 + Linear(SiLU(cond)), LayerNorm and SiLU. The input is concatenated again at every layer
// after the first.
#pragma once

#include <string>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/nn/group_norm.hpp>
#include <diffsiam/nn/time_embedding.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/concat.hpp>

namespace diffsiam::model {

/// z_t (n, dims) and t (n) -> eps (n, dims).
template <class B>
class LatentDenoiser {
 public:
  using Backend = B;
  /// The sizes of the published network, for z of 512 dims.
  struct Config {
    Index dims = 512;        ///< of z
    Index hidden = 2048;     ///< width of the hidden layers
    Index layers = 10;       ///< including the last one, which has no norm and condition
    Index time_dims = 64;    ///< of the sinusoids, even
    Index time_width = 0;    ///< of the time perceptron and the condition; 0: as wide as z, as published
    std::uint64_t seed = 4;  ///< of the initial weights
  };

  /// Throws ConfigError unless there are at least two layers and hidden layers have at least two values.
  LatentDenoiser(typename B::Context& context, Config const& config)
      : LatentDenoiser(nn::Init<B>{context, config.seed}, config) {}

  /// z_t (n, dims), t (n) -> (n, dims). Throws ShapeError for another width or count.
  template <FlowingValue Z, FlowingValue T>
  [[nodiscard]] auto operator()(Z const& z_t, T const& t) const {
    require_shape("LatentDenoiser", {t.shape().samples(), config_.dims}, z_t.shape(),
                  "one time-step a latent");
    auto const condition = time_(raised_to(t, z_t));
    auto h = layers_.front()(z_t, condition);
    for (std::size_t i = 1; i < layers_.size(); ++i) h = layers_[i](ops::concat(h, z_t), condition);
    return last_(ops::concat(h, z_t));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"time", "time_embed"}, time_);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      f(nn::ChildName{{"layer_", i}, {"layers.", i}}, layers_[i]);
    }
    f(nn::ChildName{"last", text({"layers.", layers_.size(), ".linear"})}, last_);
  }

 private:
  struct Layer {
    using Backend = B;
    nn::Linear<B> linear, condition;
    nn::LayerNorm<B, functional::Silu> norm;

    template <FlowingValue X, FlowingValue C>
    [[nodiscard]] auto operator()(X const& x, C const& cond) const {
      auto const h = linear(x);
      return norm(
          ops::add(h, ops::multiply(h, condition(ops::silu(cond)))));  // h (1 + condition), (n, hidden)
    }
    template <class F>
    void for_each_child(F&& f) const {
      f(nn::ChildName{"linear"}, linear);
      f(nn::ChildName{"condition", "linear_emb"}, condition);
      f(nn::ChildName{"norm"}, norm);
    }
  };

  static Config validated(Config const& config) {
    if (config.layers < 2 || config.hidden < 2 || config.dims < 1) {
      fail<ConfigError>("LatentDenoiser", "at least two layers, the hidden ones at least two wide",
                        {config.layers, " layers of ", config.hidden});
    }
    return config;
  }
  [[nodiscard]] static Index time_width(Config const& config) {
    return config.time_width > 0 ? config.time_width : config.dims;
  }
  LatentDenoiser(nn::Init<B>&& init, Config const& config)
      : config_(validated(config)),
        time_(init, {.dims = config.time_dims, .width = time_width(config)}),
        last_(init, {.in = config.hidden + config.dims, .out = config.dims}) {
    for (Index i = 0; i + 1 < config.layers; ++i) {
      layers_.push_back(
          {nn::Linear<B>{init,
                         {.in = i == 0 ? config.dims : config.hidden + config.dims, .out = config.hidden}},
           nn::Linear<B>{init, {.in = time_width(config), .out = config.hidden}},
           nn::LayerNorm<B, functional::Silu>{init, {.channels = config.hidden}}});
    }
  }

  Config config_;
  nn::TimeEmbedding<B> time_;
  nn::Linear<B> last_;
  std::vector<Layer> layers_;
};

}  // namespace diffsiam::model
