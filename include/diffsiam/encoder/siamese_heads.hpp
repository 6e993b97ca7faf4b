// The heads of the siamese half: the projector and predictor of SimSiam, the projector of SimCLR, and the
// expander of VICReg.
#pragma once

#include <algorithm>
#include <optional>

#include <diffsiam/nn/batch_norm.hpp>
#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/activation.hpp>

namespace diffsiam::encoder {

/// Linear, BatchNorm, and an optional ReLU.
/// x (n, in) -> (n, out).
template <class B>
class LinearBatchNorm {
 public:
  using Backend = B;
  /// Throws ConfigError for extents below 1.
  LinearBatchNorm(nn::Init<B>& init, Index in, Index out)
      : linear_(init, {.in = in, .out = out}), norm_(init, {.channels = out}) {}

  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return norm_(linear_(x));
  }
  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"linear", "0"}, linear_);
    f(nn::ChildName{"norm", "1"}, norm_);
  }

 private:
  nn::Linear<B> linear_;
  nn::BatchNorm<B> norm_;
};

/// The heads of SimSiam (arXiv 2011.10566). Projector: dims -> hidden -> hidden -> out, without ReLU after
/// the last layer. Predictor: out -> predictor_dims -> out.
template <class B>
class SimSiamHeads {
 public:
  using Backend = B;
  /// The sizes of the heads.
  struct Config {
    Index dims = 64;           ///< of z
    Index hidden_dims = 0;     ///< of the projector; 0: dims
    Index out_dims = 0;        ///< of the vectors that are compared; 0: dims
    Index predictor_dims = 0;  ///< 0: a quarter of out_dims
    std::uint64_t seed = 2;    ///< of the initial weights
  };

  /// Throws ConfigError for dims below 1.
  SimSiamHeads(typename B::Context& context, Config const& config)
      : SimSiamHeads(nn::Init<B>{context, config.seed}, config) {}

  /// x (n, dims) -> (n, out_dims), for one view: batch statistics must not mix views.
  template <FlowingValue X>
  [[nodiscard]] auto project(X const& x) const {
    return project_3_(ops::relu(project_2_(ops::relu(project_1_(x)))));
  }
  /// z (n, out_dims), projections -> (n, out_dims), what the other view's projections should be.
  template <FlowingValue X>
  [[nodiscard]] auto predict(X const& z) const {
    return predict_2_(ops::relu(predict_1_(z)));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"projector.layer_1", "projector.layer1"}, project_1_);
    f(nn::ChildName{"projector.layer_2", "projector.layer2"}, project_2_);
    f(nn::ChildName{"projector.layer_3", "projector.layer3"}, project_3_);
    f(nn::ChildName{"predictor.layer_1", "predictor.layer1"}, predict_1_);
    f(nn::ChildName{"predictor.layer_2", "predictor.layer2"}, predict_2_);
  }

 private:
  SimSiamHeads(nn::Init<B>&& init, Config const& config)
      : SimSiamHeads(init, config.dims, either(config.hidden_dims, config.dims),
                     either(config.out_dims, config.dims), config.predictor_dims) {}
  SimSiamHeads(nn::Init<B>& init, Index dims, Index hidden, Index out, Index predictor)
      : project_1_(init, dims, hidden),
        project_2_(init, hidden, hidden),
        project_3_(init, hidden, out),
        predict_1_(init, out, either(predictor, std::max<Index>(1, out / 4))),
        predict_2_(init, {.in = either(predictor, std::max<Index>(1, out / 4)), .out = out}) {}
  static Index either(Index asked, Index otherwise) { return asked > 0 ? asked : otherwise; }

  LinearBatchNorm<B> project_1_, project_2_, project_3_, predict_1_;
  nn::Linear<B> predict_2_;
};

/// The projector of SimCLR (arXiv 2002.05709): Linear, ReLU, Linear.
template <class B>
class SimClrHead {
 public:
  using Backend = B;
  /// The sizes of the projector.
  struct Config {
    Index dims = 64;         ///< of z
    Index hidden = 128;      ///< between the layers
    Index out = 64;          ///< of the vectors that are compared
    std::uint64_t seed = 2;  ///< of the initial weights
  };

  /// Throws ConfigError for sizes below 1.
  SimClrHead(typename B::Context& context, Config const& config)
      : SimClrHead(nn::Init<B>{context, config.seed}, config) {}

  /// x (n, dims) -> (n, out).
  template <FlowingValue X>
  [[nodiscard]] auto project(X const& x) const {
    return second_(ops::relu(first_(x)));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"projector.layer_1", "projector.layer1.0"}, first_);
    f(nn::ChildName{"projector.layer_2", "projector.layer2"}, second_);
  }

 private:
  SimClrHead(nn::Init<B>&& init, Config const& config)
      : first_(init, {.in = config.dims, .out = config.hidden}),
        second_(init, {.in = config.hidden, .out = config.out}) {}

  nn::Linear<B> first_, second_;
};

/// The expander of VICReg (arXiv 2105.04906): dims -> hidden -> hidden -> out, with BatchNorm and ReLU after
/// the first two layers. The published one is wider than z, for batches of 2,048. Set out_dims below the
/// number of pictures: n of them keep n - 1 dims apart at most.
template <class B>
class VicRegHead {
 public:
  using Backend = B;
  /// The sizes of the expander.
  struct Config {
    Index dims = 64;         ///< of z
    Index hidden_dims = 0;   ///< 0: four times dims, as published
    Index out_dims = 0;      ///< of the vectors that are compared; 0: four times dims
    std::uint64_t seed = 2;  ///< of the initial weights
  };

  /// Throws ConfigError for dims below 1.
  VicRegHead(typename B::Context& context, Config const& config)
      : VicRegHead(nn::Init<B>{context, config.seed}, config.dims,
                   config.hidden_dims > 0 ? config.hidden_dims : 4 * config.dims,
                   config.out_dims > 0 ? config.out_dims : 4 * config.dims) {}

  /// x (n, dims) -> (n, out_dims), for one view: batch statistics must not mix views.
  template <FlowingValue X>
  [[nodiscard]] auto project(X const& x) const {
    return third_(ops::relu(second_(ops::relu(first_(x)))));
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"projector.layer_1", "projector.layer1"}, first_);
    f(nn::ChildName{"projector.layer_2", "projector.layer2"}, second_);
    f(nn::ChildName{"projector.layer_3", "projector.layer3"}, third_);
  }

 private:
  VicRegHead(nn::Init<B>&& init, Index dims, Index hidden, Index out)
      : first_(init, dims, hidden), second_(init, hidden, hidden), third_(init, {.in = hidden, .out = out}) {}

  LinearBatchNorm<B> first_, second_;
  nn::Linear<B> third_;
};

}  // namespace diffsiam::encoder
