// Classifier: an encoder with a linear layer for each factor of variation, trained with softmax
// cross-entropy, summed over the factors. It shows what the same encoder reaches with labels, and it is the
// judge of edited pictures.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <diffsiam/core/text.hpp>
#include <diffsiam/encoder/modular_encoder.hpp>
#include <diffsiam/nn/linear.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/concat.hpp>
#include <diffsiam/ops/cross_entropy.hpp>

namespace diffsiam::model {

/// Copies share their weights. Images are (n, h, w, c). Labels are (n, heads), row by row; those of head j
/// are in [0, classes[j]).
template <class B, class Encoder = encoder::ModularEncoder<B>>
class Classifier {
 public:
  using Backend = B;
  struct Config {
    std::vector<int> classes;  ///< of each head; one entry if pictures have one label
    std::uint64_t seed = 6;    ///< of the initial weights of the heads
  };

  /// Throws ConfigError unless there is a head and each head has two classes or more.
  Classifier(typename B::Context& context, Encoder encoder, Config config)
      : Classifier(nn::Init<B>{context, config.seed}, std::move(encoder), validated(std::move(config))) {}

  [[nodiscard]] Config const& config() const& { return config_; }
  [[nodiscard]] Config config() const&& { return config_; }
  [[nodiscard]] Encoder const& encoder() const& { return encoder_; }
  [[nodiscard]] Encoder encoder() const&& { return encoder_; }
  /// The number of heads.
  [[nodiscard]] Index heads() const { return static_cast<Index>(config_.classes.size()); }

  /// The features that the heads read, (n, dims).
  template <FlowingValue X>
  [[nodiscard]] auto encode(X const& x) const {
    return encoder_(x);
  }
  /// The logits of all heads side by side, (n, sum of classes).
  template <FlowingValue X>
  [[nodiscard]] auto operator()(X const& x) const {
    return linear_(encode(x));
  }

  /// The loss of images on a tape, so that the weights can be trained: the sum over heads of the mean
  /// cross-entropy, rank 0. Throws ShapeError unless there are n heads labels, RangeError for a label that
  /// its head does not have.
  template <FlowingValue X>
  [[nodiscard]] auto loss(X const& x, std::span<int const> labels) const {
    require_labels(x.shape().samples(), labels);
    auto const logits = (*this)(x);
    auto total = head_loss(logits, labels, 0);
    for (Index head = 1; head < heads(); ++head) total = ops::add(total, head_loss(logits, labels, head));
    return total;
  }

  /// The most probable class of each head, (n, heads), row by row; the first one of equals.
  template <class V>
  [[nodiscard]] std::vector<int> predict(Tensor<V> const& x) const {
    std::vector<double> const logits = (*this)(x).template values<double>();
    std::vector<int> labels;
    for (auto at = logits.begin(); at != logits.end();) {
      for (int classes : config_.classes) {
        labels.push_back(static_cast<int>(std::max_element(at, at + classes) - at));
        at += classes;
      }
    }
    return labels;
  }

  template <class F>
  void for_each_child(F&& f) const {
    f(nn::ChildName{"encoder"}, encoder_);
    f(nn::ChildName{"heads"}, linear_);
  }
  template <class F>
  void for_each_setting(F&& f) const {
    f("classes", config_.classes);
  }

 private:
  Classifier(nn::Init<B>&& init, Encoder encoder, Config config)
      : config_(std::move(config)),
        encoder_(std::move(encoder)),
        linear_(init, {.in = encoder_.latent_dims(), .out = first_column(heads())}) {}

  [[nodiscard]] static Config validated(Config config) {
    if (config.classes.empty()) fail<ConfigError>("Classifier", "at least one head", "no class counts");
    for (int classes : config.classes)
      if (classes < 2) fail<ConfigError>("Classifier", "heads of two classes or more", classes);
    return config;
  }
  /// The first column of a head's logits. One linear layer computes all heads: one product instead of one per
  /// head.
  [[nodiscard]] Index first_column(Index head) const {
    return std::accumulate(config_.classes.begin(), config_.classes.begin() + head, Index{0});
  }

  template <FlowingValue X>
  [[nodiscard]] auto head_loss(X const& logits, std::span<int const> labels, Index head) const {
    using V = typename X::Backend;
    Index const n = logits.shape().samples(), classes = config_.classes[static_cast<std::size_t>(head)];
    std::vector<float> one_hot(static_cast<std::size_t>(n * classes), 0);
    for (Index i = 0; i < n; ++i)
      one_hot[static_cast<std::size_t>(i * classes + labels[static_cast<std::size_t>(i * heads() + head)])] =
          1;
    auto const targets = Tensor<V>::from(logits.context(), {n, classes}, std::span<float const>{one_hot});
    Index const begin = first_column(head);
    return ops::softmax_cross_entropy(ops::slice(logits, begin, begin + classes), targets);
  }
  void require_labels(Index n, std::span<int const> labels) const {
    if (static_cast<Index>(labels.size()) != n * heads())
      fail<ShapeError>("Classifier", {n, " x ", heads(), " labels, one an image and head"}, labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      std::size_t const head = i % config_.classes.size();
      if (labels[i] < 0 || labels[i] >= config_.classes[head])
        fail<RangeError>("Classifier", {"labels in [0, ", config_.classes[head], ") of head ", head},
                         {labels[i], " of image ", i / config_.classes.size()});
    }
  }

  Config config_;
  Encoder encoder_;
  nn::Linear<B> linear_;
};

}  // namespace diffsiam::model
